using System.Text.Json;
using KeepAlive.App;
using KeepAlive.App.Connections;
using KeepAlive.App.Fleet;
using KeepAlive.Fleet;

namespace KeepAlive.Tests.App;

/// <summary>What is said of a fleet: tables, lines, JSON; whatever stands in etcd.</summary>
public sealed class FleetTextTests
{
    private static readonly DateTimeOffset Then = new(2026, 11, 21, 23, 8, 4, TimeSpan.Zero);
    private static readonly FleetPolicy Policy = new(12, "ann@ops", Then, "shorter idle", "{}");

    [Fact]
    public void Machines_are_told_with_what_they_have_and_will_not()
    {
        var sight = new FleetSight("web", new PolicyState(Policy, null, 9),
        [
            Machine("one", 12) with { Digest = Digest("one", 12) with { Flows = new Dictionary<string, int> { ["probing"] = 3, ["alive"] = 120 }, Deaths = 7, Gateways = 2 } },
            Machine("two", 11) with { Digest = Digest("two", 11) with { Refused = new PolicyRefusal(12, "db: no\u001b[2J") } },
            new FleetMachine("three\n", null, "no JSON"),
        ], []);
        Assert.Equal(
        [
            "fleet 'web': 3 machines, 1 with policy 12, set by ann@ops at 2026-11-21 23:08:04Z: shorter idle",
            "1 machine with a policy refused: two",
            "1 machine of whom nothing can be read: three?",
        ], FleetText.Summary(sight));
        Assert.Equal("""
            MACHINE  UP SINCE              VERSION  GATEWAYS  FLOWS                 DEATHS  POLICY
            one      2026-11-21 23:08:04Z  0.1.0    2         120 alive, 3 probing  7       12
            two      2026-11-21 23:08:04Z  0.1.0    0         0                     0       11, refused 12: db: no?[2J
            three?   -                     -        -         -                     -       unknown: no JSON

            """, Table(FleetText.Machines(sight.Machines)));
    }

    [Fact]
    public void Flows_are_told_the_worst_first_over_all_machines()
    {
        WorstFlow probing = new("db", "10.0.0.1:5", "10.0.0.2:6", "probing", 75.4, 2), dead = probing with { State = "dead", Unanswered = 0 }, worse = probing with { Unanswered = 3 };
        var sight = new FleetSight("web", new PolicyState(null, null, 9), [Machine("one", 0, probing), Machine("two", 0, dead, worse)], []);
        Assert.Equal("""
            MACHINE  GATEWAY  STATE                  SILENT  CLIENT      SERVER
            two      db       dead                   -       10.0.0.1:5  10.0.0.2:6
            two      db       probing, 3 unanswered  1m15s   10.0.0.1:5  10.0.0.2:6
            one      db       probing, 2 unanswered  1m15s   10.0.0.1:5  10.0.0.2:6

            """, Table(FleetText.Flows(sight.Worst)));
    }

    [Fact]
    public void The_history_says_what_became_of_each_policy() => Assert.Equal("""
        POLICY  SET AT                BY       OUTCOME      COMMENT       WHY
        12      2026-11-21 23:08:04Z  ann@ops  rolled back  shorter idle  deaths rise
        12      2026-11-21 23:08:04Z  ann@ops  set for all  -             -

        """, Table(FleetText.History([new PolicyRecord(Policy, PolicyOutcome.RolledBack, "deaths rise"), new PolicyRecord(Policy with { Comment = "" }, PolicyOutcome.Set, "")])));

    [Theory]
    [InlineData(600, "10m")]
    [InlineData(45, "45s")]
    [InlineData(3600, "1h")]
    [InlineData(5400, "1h30m")]
    [InlineData(604800, "7d")]
    [InlineData(0, "0s")]
    public void Spans_are_short(int seconds, string text) => Assert.Equal(text, FleetText.Span(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Cells_are_short_and_printable()
    {
        Assert.Equal("a?b", FleetText.Cell("a\u009bb"));
        Assert.Equal(163, FleetText.Cell(new string('x', 100_000)).Length);
    }

    [Fact]
    public void A_text_goes_to_a_file_as_it_is_and_to_a_terminal_without_what_it_would_obey()
    {
        Assert.Equal("{\r\n}\u001b[2J", PolicyCommand.OnTerminal("{\r\n}\u001b[2J", isRedirected: true));
        Assert.Equal("{?\n}?[2J\n", PolicyCommand.OnTerminal("{\r\n}\u001b[2J", isRedirected: false));
    }

    [Fact]
    public void Who_sets_a_policy_fits_the_history()
    {
        Assert.Equal("ann@ops", PolicySetCommand.Who("ann", "ops"));
        Assert.Equal("a?n@ops", PolicySetCommand.Who("a\nn", "ops"));
        Assert.Equal(200, PolicySetCommand.Who(new string('a', 500), "ops").Length);
    }

    [Fact]
    public void Json_has_the_names_that_are_promised()
    {
        var rollout = new Rollout(Policy with { Number = 13 }, 50, ulong.MaxValue, 1, 2, TimeSpan.FromMinutes(10));
        var refused = new FleetMachine("two", Digest("two", 12) with { Refused = new PolicyRefusal(13, "no") }, null);
        var sight = new FleetSight("web", new PolicyState(Policy, rollout, 9), [Machine("one", 12, new WorstFlow("db", "a:1", "b:2", "dead", 0, 4)), refused], []) { History = [new PolicyRecord(Policy, PolicyOutcome.RolledBack, "why")] };
        using JsonDocument read = JsonDocument.Parse(JsonText.Of(writer => FleetEndpoint.Write(writer, "one", "web", isJoined: true, new FleetSeen(sight, Then, "late"))));
        JsonElement all = read.RootElement;
        Assert.Equal(["now", "isMember", "machine", "fleet", "isJoined", "notes", "readAt", "policy", "rollout", "machines", "dead", "probing", "flows", "history"], Names(all));
        Assert.Equal(["number", "by", "setAt", "comment", "text"], Names(all.GetProperty("policy")));
        Assert.Equal(["number", "by", "setAt", "comment", "percent", "canaries", "machines", "observeMs", "taken", "observedMs", "text"], Names(all.GetProperty("rollout")));
        Assert.Equal(["machine", "isCanary", "version", "startedAt", "policy", "gateways", "flows", "deaths"], Names(all.GetProperty("machines")[0]));
        Assert.Equal("no", all.GetProperty("machines")[1].GetProperty("refused").GetProperty("why").GetString());
        Assert.Equal(["machine", "gateway", "client", "server", "state", "silentMs", "unanswered"], Names(all.GetProperty("flows")[0]));
        Assert.Equal(["number", "by", "setAt", "comment", "outcome", "why"], Names(all.GetProperty("history")[0]));
        Assert.Equal(("late", "rolledBack", 1795302484000), (all.GetProperty("notes")[0].GetString(), all.GetProperty("history")[0].GetProperty("outcome").GetString(), all.GetProperty("readAt").GetInt64()));
    }

    private static string[] Names(JsonElement element) => [.. element.EnumerateObject().Select(member => member.Name)];

    private static string Table(string[][] rows)
    {
        var text = new StringWriter();
        ConnectionTable.WriteColumns(text, rows);
        return text.ToString();
    }

    private static FleetMachine Machine(string name, long policy, params WorstFlow[] worst) => new(name, Digest(name, policy) with { Worst = worst }, null);

    private static MachineDigest Digest(string name, long policy) => new() { Machine = name, Version = "0.1.0+abc", Started = Then, Policy = policy };
}
