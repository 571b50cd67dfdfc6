using System.Text;
using System.Text.Json;
using KeepAlive.App.Events;
using KeepAlive.App.Gateways;
using KeepAlive.App.Live;
using KeepAlive.Core;

namespace KeepAlive.Tests.App;

public sealed class LiveFlowsTests
{
    private static readonly KeepAliveSpec Tcp = KeepAliveSpec.Parse("60:3:20"), Probe = KeepAliveSpec.Parse("30:4:10");

    private readonly LiveFlows _flows;
    private Instant _now = Instant.Zero + TimeSpan.FromHours(1);

    public LiveFlowsTests()
    {
        _flows = new LiveFlows(new LiveGateways());
        _flows.OnTold(new ListeningTold("ftp", "127.0.0.1:21", "192.0.2.1:21", "ftp", new TcpChoice(Tcp, false), Probe));
    }

    [Fact]
    public void A_flow_is_what_its_events_tell()
    {
        Tell(1, FlowEventKind.Opened, "198.51.100.7:40000 to ftp.example.com:21, by the proxy 198.51.100.1:1000");
        Assert.Equal("opening", Row(1).GetProperty("state").GetString());
        Tell(1, FlowEventKind.Connected, "192.0.2.1:21, Tls13");
        Tell(1, FlowEventKind.ProbeSent, "NOOP", Leg.Upstream);
        Tell(1, FlowEventKind.ProbeAnswered, "200", Leg.Upstream, TimeSpan.FromMilliseconds(12.5));
        JsonElement row = Row(1);
        Assert.Equal(("alive", "ftp", "30:4:10", "198.51.100.7:40000", "192.0.2.1:21"),
            (Text(row, "state"), Text(row, "layer"), Text(row, "policy"), Text(row, "client"), Text(row, "server")));
        Assert.Equal((1, 1, 0, 4, 12.5), (Number(row, "sent"), Number(row, "answered"), Number(row, "unanswered"), Number(row, "of"), row.GetProperty("roundTripMs").GetDouble()));
        Assert.Equal(["sent up", "answered up"], row.GetProperty("marks").EnumerateArray().Select(mark => $"{mark[1]} {mark[2]}"));

        Tell(1, FlowEventKind.PlainRelay, "TLS begins");
        Assert.Equal(("tcp", "60:3:20"), (Text(Row(1), "layer"), Text(Row(1), "policy")));
        Tell(1, FlowEventKind.Died, "no answer", Leg.Downstream);
        Tell(1, FlowEventKind.Closed, "over");
        Assert.Equal("dead", Text(Row(1), "state"));
        Assert.True(Row(1).TryGetProperty("endedAt", out _));
    }

    [Fact]
    public void A_policy_for_living_flows_is_theirs_but_not_those_of_a_gateway_before()
    {
        Open(1);
        _flows.OnTold(Listening("20:4:10")); // taken over
        Open(2);
        FlowChanges seen = _flows.Read(default, FlowReading.Changes);
        _flows.OnTold(Listening("5:4:10") with { IsForLiving = true });
        Open(3);
        Assert.Equal(["30:4:10", "5:4:10", "5:4:10"], ((long[])[1, 2, 3]).Select(id => Text(Row(id), "policy")));
        Assert.Equal([2L, 3L], _flows.Read(seen.Position, FlowReading.Changes).Changed.Select(f => f.Id).Order());

        static ListeningTold Listening(string probe) => new("ftp", "127.0.0.1:21", "192.0.2.1:21", "ftp", new TcpChoice(Tcp, false), KeepAliveSpec.Parse(probe));
    }

    [Fact]
    public void Whoever_looks_again_is_told_what_has_changed_and_what_is_gone()
    {
        Open(1);
        Open(2);
        FlowChanges first = _flows.Read(default, FlowReading.ChangesAndFacts);
        Assert.True(first.IsWhole);
        Assert.Equal([1L, 2L], first.Changed.Select(f => f.Id));
        Assert.Empty(_flows.Read(first.Position, FlowReading.Changes).Changed);

        Tell(2, FlowEventKind.ProbeSent, "NOOP", Leg.Upstream);
        FlowChanges second = _flows.Read(first.Position, FlowReading.Changes);
        Assert.False(second.IsWhole);
        Assert.Equal([2L], second.Changed.Select(f => f.Id));

        Tell(1, FlowEventKind.Closed, "over");
        FlowChanges third = _flows.Read(second.Position, FlowReading.Changes);
        Assert.Equal([1L], third.Changed.Select(f => f.Id)); // it stays for a minute
        _now += LiveFlows.EndedStay + TimeSpan.FromSeconds(1);
        Open(3);
        FlowChanges fourth = _flows.Read(third.Position, FlowReading.Changes);
        Assert.Equal([1L], fourth.Gone);
        Assert.Equal([3L], fourth.Changed.Select(f => f.Id));
        // Who slept meanwhile is told the same at once.
        FlowChanges late = _flows.Read(first.Position, FlowReading.Changes);
        Assert.Equal([1L], late.Gone);
        Assert.Equal([2L, 3L], late.Changed.Select(f => f.Id).Order());
    }

    [Fact]
    public void Who_has_slept_for_longer_than_is_remembered_is_told_the_whole()
    {
        Open(1);
        FlowPosition position = _flows.Read(default, FlowReading.Changes).Position;
        for (int id = 2; id < 50_000; id++)
        {
            Open(id);
            Tell(id, FlowEventKind.Closed, "over"); // no more than 10,000 of them are kept, and 20,000 of those that are gone
            if (id % 1000 == 0) _flows.Read(position, FlowReading.Changes);
        }

        FlowChanges changes = _flows.Read(position, FlowReading.Changes);
        Assert.True(changes.IsWhole);
        Assert.InRange(changes.Changed.Length, 1, 10_010); // one more until the next event
        Assert.Contains(changes.Changed, f => f.Id == 1);
    }

    [Fact]
    public void Texts_and_marks_are_bounded()
    {
        Open(1);
        for (int i = 0; i < 100; i++) Tell(1, FlowEventKind.ProbeSent, new string('x', 10_000), Leg.Upstream);
        JsonElement row = Row(1);
        Assert.Equal(LiveFlow.MarksMax, row.GetProperty("marks").GetArrayLength());
        Assert.InRange(Text(row, "text").Length, 1, 400);
    }

    [Fact]
    public void What_comes_after_the_last_of_a_flow_makes_no_other()
    {
        Tell(7, FlowEventKind.ProbeSent, "NOOP", Leg.Upstream);
        Assert.Empty(_flows.Find(_ => true));
    }

    private void Open(long id)
    {
        Tell(id, FlowEventKind.Opened, "198.51.100.7:40000 to 192.0.2.1:21");
        Tell(id, FlowEventKind.Connected, "192.0.2.1:21");
    }

    private void Tell(long flow, FlowEventKind kind, string text, Leg? leg = null, TimeSpan? took = null) =>
        _flows.OnTold(new FlowTold(new FlowEvent(flow, _now, kind, text) { Leg = leg, Took = took }, "ftp"));

    private JsonElement Row(long id)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes)) _flows.Each(_flows.Find(f => f.Id == id), flow => LiveFlowJson.Write(writer, flow));
        return JsonDocument.Parse(Encoding.UTF8.GetString(bytes.ToArray())).RootElement;
    }

    private static string Text(JsonElement row, string name) => row.GetProperty(name).GetString()!;

    private static int Number(JsonElement row, string name) => row.GetProperty("probes").GetProperty(name).GetInt32();
}
