using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace KeepAlive.App.Metrics;

/// <summary>
/// Metrics by OTLP, by the environment variables that OpenTelemetry names for it: the endpoint, headers (secrets stay out of files and process
/// lists), protocol (<c>grpc</c>, <c>http/protobuf</c>), OTEL_METRIC_EXPORT_INTERVAL (ms, 60000).
/// </summary>
internal static class OtlpExport
{
    /// <summary>What asks for it.</summary>
    public static readonly string[] Variables = ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

    /// <summary>Null where nobody asks.</summary>
    public static MeterProvider? TryStart()
    {
        if (Variables.All(name => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)))) return null;
        return Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(resource => resource.AddService("keepalive", serviceVersion: ProgramVersion.Text, serviceInstanceId: Environment.MachineName))
            .AddMeter(DaemonMeter.Name, MetricReader.RuntimeMeter)
            .AddOtlpExporter()
            .Build();
    }
}
