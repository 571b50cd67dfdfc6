using KeepAlive.App.Events;
using KeepAlive.App.Live;
using KeepAlive.Core;
using KeepAlive.Gateway;
using OpenTelemetry.Metrics;

namespace KeepAlive.App.Metrics;

/// <summary>The daemon's metrics: kept for Prometheus to fetch, and sent by OTLP where the environment says to.</summary>
internal sealed class DaemonMetrics : IDisposable
{
    private readonly MetricReader _reader = new(); // before there is anything to read
    private readonly DaemonMeter _meter = new();
    private readonly MeterProvider? _otlp = OtlpExport.TryStart();

    public DaemonMetrics() => _meter.WatchKernel();

    public void Tell(ToldEvent e) => _meter.Tell(e);

    /// <summary>What is read of the gateways and flows when somebody wants it.</summary>
    public void Watch(Func<IEnumerable<GatewayTally>> gateways, LiveFlows flows) => _meter.Watch(gateways, () =>
    {
        flows.Refresh(MonotonicClock.Now);
        flows.RefreshKernelProbes(MonotonicClock.Now);
        return flows.CountOpen();
    });

    /// <summary>A path would have forgotten a flow of this gateway.</summary>
    public void Saved(string gateway, Leg leg) => _meter.Saved(gateway, leg);

    /// <summary>As Prometheus fetches them.</summary>
    public string ToPrometheus() => PrometheusText.Of(_reader);

    /// <summary>Sends what has not been sent, for two seconds at most.</summary>
    public void Dispose()
    {
        _otlp?.Shutdown(2000);
        _otlp?.Dispose();
        _meter.Dispose();
        _reader.Dispose();
    }
}
