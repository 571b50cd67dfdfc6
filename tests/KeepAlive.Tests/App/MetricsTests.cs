using System.Globalization;
using System.Text.RegularExpressions;
using KeepAlive.App.Events;
using KeepAlive.App.Gateways;
using KeepAlive.App.Live;
using KeepAlive.App.Metrics;
using KeepAlive.Core;

namespace KeepAlive.Tests.App;

/// <summary>Meters are the process's: these run one after the other, and each looks at gateways of its own names.</summary>
public sealed class MetricsTests : IDisposable
{
    private static int s_gateways;

    private readonly string _gateway = string.Create(CultureInfo.InvariantCulture, $"ftp \"{Interlocked.Increment(ref s_gateways)}\"\\");
    private readonly MetricReader _reader = new();
    private readonly DaemonMeter _meter = new();

    public MetricsTests() => _meter.Tell(new ListeningTold(_gateway, "127.0.0.1:2121", "ftp.example.com:21", "ftp", new TcpChoice(KeepAliveSpec.Off, false), KeepAliveSpec.Off));

    [Fact]
    public void Probes_are_counted_by_leg_and_the_answer_is_timed()
    {
        Tell(FlowEventKind.ProbeSent, leg: Leg.Upstream);
        Tell(FlowEventKind.ProbeSent, leg: Leg.Upstream);
        Tell(FlowEventKind.ProbeSent, leg: Leg.Downstream);
        Tell(FlowEventKind.ProbeAnswered, leg: Leg.Upstream, took: TimeSpan.FromMilliseconds(30));
        Assert.Equal(2, Value("keepalive_probe_sent_total", "upstream"));
        Assert.Equal(1, Value("keepalive_probe_sent_total", "downstream"));
        Assert.Equal(1, Value("keepalive_probe_answered_total", "upstream"));
        Assert.Equal(0, Value("keepalive_probe_duration_seconds_bucket", "upstream", "0.025"));
        Assert.Equal(1, Value("keepalive_probe_duration_seconds_bucket", "upstream", "0.05"));
        Assert.Equal(1, Value("keepalive_probe_duration_seconds_bucket", "upstream", "+Inf"));
        Assert.Equal(0.03, Value("keepalive_probe_duration_seconds_sum", "upstream"), 6);
    }

    [Fact]
    public void What_was_out_when_a_flow_died_was_lost()
    {
        Tell(FlowEventKind.ProbeSent, leg: Leg.Upstream);
        Tell(FlowEventKind.ProbeAnswered, leg: Leg.Upstream);
        Tell(FlowEventKind.ProbeSent, leg: Leg.Upstream);
        Tell(FlowEventKind.ProbeSent, leg: Leg.Upstream);
        Tell(FlowEventKind.Died, leg: Leg.Upstream, reason: DeathReason.Unanswered);
        Tell(FlowEventKind.Closed);
        Assert.Equal(2, Value("keepalive_probe_lost_total", "upstream"));
        Assert.Equal(1, Value("keepalive_flow_deaths_total", "error_type=\"unanswered\"", "keepalive_leg=\"upstream\""));
    }

    [Fact]
    public void What_was_out_when_a_client_left_was_not()
    {
        Tell(FlowEventKind.ProbeSent, leg: Leg.Upstream);
        Tell(FlowEventKind.Closed);
        Tell(FlowEventKind.Died, leg: Leg.Upstream, reason: DeathReason.Reset); // of a flow that has nothing out
        Assert.Null(Line("keepalive_probe_lost_total"));
    }

    [Fact]
    public void What_gateways_have_done_is_read_when_it_is_wanted()
    {
        long received = 10;
        _meter.Watch(() => [new GatewayTally(_gateway, received, 7)], () => [(_gateway, LiveFlowState.Alive, 3), (_gateway, LiveFlowState.Probing, 1)]);
        Assert.Equal((3, 1, 0), (Value("keepalive_flow_active", "alive"), Value("keepalive_flow_active", "probing"), Value("keepalive_flow_active", "opening")));
        Assert.Equal(10, Value("keepalive_relay_io_bytes_total", "downstream"));
        received = 25;
        Assert.Equal(25, Value("keepalive_relay_io_bytes_total", "downstream"));
        Assert.Equal(7, Value("keepalive_relay_io_bytes_total", "upstream"));
    }

    [Fact]
    public void A_gateway_of_one_name_goes_on_counting_where_the_one_before_it_ended() =>
        Assert.Equal(new GatewayTally("a", 11, 22), new GatewayTally("a", 10, 20).And(new GatewayTally("a", 1, 2)));

    [Fact]
    public void Every_name_and_line_is_of_the_format()
    {
        Tell(FlowEventKind.Connected);
        Tell(FlowEventKind.Closed, took: TimeSpan.FromMinutes(1));
        string[] lines = PrometheusText.Of(_reader).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Matches(@"^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+=""([^""\\\n]|\\[\\""n])*"",?)*\})? \S+)$", line));
        Assert.All(lines.Where(l => l[0] == '#').GroupBy(l => l[..l.IndexOf(' ', 7)]), same => Assert.Single(same));
        Assert.Contains(lines, line => line.StartsWith("dotnet_gc_collections_total", StringComparison.Ordinal));
    }

    public void Dispose()
    {
        _meter.Dispose();
        _reader.Dispose();
    }

    private void Tell(FlowEventKind kind, Leg? leg = null, TimeSpan? took = null, DeathReason? reason = null) =>
        _meter.Tell(new FlowTold(new FlowEvent(1, Instant.Zero, kind, "text") { Leg = leg, Took = took, Reason = reason }, _gateway));

    private double Value(string name, params string[] having) => Line(name, having) is { } line ? double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture) : double.NaN;

    // Other tests of this process have meters of the same name.
    private string? Line(string name, params string[] having)
    {
        string own = $"keepalive_gateway=\"{_gateway.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        return PrometheusText.Of(_reader).Split('\n').SingleOrDefault(line => Regex.IsMatch(line, $"^{name}[{{ ]") && line.Contains(own, StringComparison.Ordinal)
            && having.All(h => line.Contains(h.Contains('=', StringComparison.Ordinal) ? h : $"\"{h}\"", StringComparison.Ordinal)));
    }
}
