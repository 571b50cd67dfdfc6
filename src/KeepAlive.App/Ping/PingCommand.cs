using System.CommandLine;
using KeepAlive.App.Gateways;

namespace KeepAlive.App.Ping;

/// <summary><c>keepalive ping URL</c>: is that server alive, on its own layer?</summary>
internal static class PingCommand
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly KeepAlivePolicy PolicyDefault = new(TimeSpan.FromSeconds(1), 3, TimeSpan.FromSeconds(1));

    private static readonly Argument<PingUrl> Url = CommandLine.Argument<PingUrl>("URL", "SCHEME://[USER@]HOST[:PORT][/PATH], the scheme one of " + string.Join(", ", PingScheme.All.Select(s => s.Name)), PingCall.ReadUrl);
    private static readonly Option<int> Count = CommandLine.Option("--count", "How many probes", Texts.NumberWithin(1, 1_000_000), "4");
    private static readonly Option<TimeSpan?> Interval = CommandLine.Option<TimeSpan?>("--interval", "From an answer to the next probe: in place of the policy's idle", OptionalDuration);
    private static readonly Option<KeepAlivePolicy?> Policy = CommandLine.Option<KeepAlivePolicy?>("--policy", "When a probe goes, and when the server is dead: idle:count:interval; 1:3:1 unless given", ReadPolicy);
    private static readonly Option<TimeSpan> Idle = CommandLine.Option("--idle", "Be silent for so long before the first probe: does the path survive that?", Texts.DurationWithin(TimeSpan.Zero, TimeSpan.FromDays(1)), "0");
    private static readonly Option<TimeSpan> Timeout = CommandLine.Option("--timeout", "How long connecting may take, and then opening the session", Texts.DurationWithin(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)), "10s");
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line" };

    public static Command Create()
    {
        var command = new Command("ping", "Is that server alive, on its own layer? Exit 0: it answers; 1: it does not; 2: misused.") { Url, Count, Interval, Policy, Idle, Timeout, Json };
        foreach (Option option in PingCall.Options) command.Options.Add(option);
        command.SetAction((parsed, cancellation) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        PingUrl url = parsed.GetValue(Url)!;
        if (!PingCall.TryRead(parsed, url, out PingCall? call, out string? fault)) return Misused(fault);
        KeepAlivePolicy policy = parsed.GetValue(Policy) ?? PolicyDefault;
        if (parsed.GetValue(Interval) is { } every) policy = new KeepAlivePolicy(every, policy.Count, policy.Interval);
        var plan = new PingPlan(policy, parsed.GetValue(Count), parsed.GetValue(Idle), parsed.GetValue(Timeout));
        var report = new PingReport(parsed.InvocationConfiguration.Output, parsed.GetValue(Json));
        var tally = new PingTally();
        using var signals = new StopSignals();
        PingVerdict verdict = await call.PingAsync(plan, report, tally, signals.First).ConfigureAwait(false);
        report.Summary(tally, verdict);
        return verdict.Outcome == PingOutcome.Alive ? CommandLine.Done : CommandLine.Failed;
    }

    private static int Misused(string fault)
    {
        CommandLine.Complain($"keepalive ping: {fault}");
        return CommandLine.Misused;
    }

    private static bool ReadPolicy(string text, out KeepAlivePolicy? value, out string? fault)
    {
        value = Texts.Spec(text, out KeepAliveSpec spec, out fault) ? spec.Policy : null;
        if (fault is null && value is null) fault = $"'{text}' has no numbers: give idle:count:interval, such as 1:3:1";
        return fault is null;
    }

    private static bool OptionalDuration(string text, out TimeSpan? value, out string? fault)
    {
        bool good = Texts.DurationWithin(Millisecond, TimeSpan.FromDays(1))(text, out TimeSpan duration, out fault);
        value = good ? duration : null;
        return good;
    }
}
