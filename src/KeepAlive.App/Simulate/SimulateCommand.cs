using System.CommandLine;
using System.CommandLine.Parsing;
using KeepAlive.App.Explain;
using KeepAlive.Core;
using KeepAlive.Paths.Simulation;

namespace KeepAlive.App.Simulate;

/// <summary><c>keepalive simulate SPEC</c>: what a policy would do to many flows.</summary>
internal static class SimulateCommand
{
    private const int PoliciesMax = 32;
    private const int FlowsMax = 100_000_000;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TextReader<TimeSpan> Span = Texts.DurationWithin(Second, KeepAlivePolicy.DurationMax);

    private static readonly Argument<KeepAlivePolicy> Spec = CommandLine.Argument<KeepAlivePolicy>("SPEC", "idle:count:interval, named parts, or on", ReadPolicy);
    private static readonly Option<IReadOnlyList<KeepAlivePolicy>> Compare = CommandLine.Option<IReadOnlyList<KeepAlivePolicy>>("--compare", "Other policies beside it, as a table: SPEC,SPEC,...", ReadPolicies);
    private static readonly Option<int> Flows = CommandLine.Option("--flows", "Flows, each with a path and a peer of its own", Texts.NumberWithin(1, FlowsMax), "10000");
    private static readonly Option<TimeSpan> Time = CommandLine.Option("--time", "Simulated time", Texts.DurationWithin(Second, SimulatedWorld.TimeMax), "1d");
    private static readonly Option<OnPath> Timeout = CommandLine.Option<OnPath>("--timeout", "When the middlebox forgets a silent flow: a duration, a known middlebox, or none", ReadTimeout, "aws-nlb");
    private static readonly Option<double> Loss = CommandLine.Option("--loss", "Part of the segments that is lost, each way", Texts.Percent(0.99), "1%");
    private static readonly Option<TimeSpan> OutageEvery = CommandLine.Option("--outage-every", "Mean time between outages of a path", Span);
    private static readonly Option<TimeSpan> OutageFor = CommandLine.Option("--outage-for", "How long an outage lasts", Span);
    private static readonly Option<TimeSpan> SleepEvery = CommandLine.Option("--sleep-every", "Mean time between two sleeps of a peer", Span);
    private static readonly Option<TimeSpan> SleepFor = CommandLine.Option("--sleep-for", "How long a peer sleeps", Span);
    private static readonly Option<double> Deaths = CommandLine.Option<double>("--deaths", "Deaths of a peer a day", ReadDeaths, "1");
    private static readonly Option<TimeSpan> CutAt = CommandLine.Option("--cut-at", "When all peers die at once, for good", Span);
    private static readonly Option<TimeSpan> Messages = CommandLine.Option("--traffic", "Mean time between two messages of a peer; left out: flows that are idle all the time", Span);
    private static readonly Option<int> Seed = CommandLine.Option("--seed", "The same seed gives the same output", Texts.NumberWithin(0, int.MaxValue), "1");
    private static readonly Option<JitterChoice> Jitter = CommandLine.Option<JitterChoice>("--jitter", "Whether flows shorten their idle time by up to a tenth: on or off", ReadJitter, "on");
    private static readonly Option<string?> Svg = CommandLine.Option<string?>("--svg", "Draw detection time against cost into this file", ReadFile);
    private static readonly Option<bool> Json = new("--json") { Description = "As one JSON object" };

    public static Command Create()
    {
        var command = new Command("simulate", "What a policy would do to many flows: survival, false deaths, detection time, cost.")
        {
            Spec, Compare, Flows, Time, Timeout, Loss, OutageEvery, OutageFor, SleepEvery, SleepFor, Deaths, CutAt, Messages, Seed, Jitter, Svg, Json,
        };
        command.Validators.Add(Check);
        command.SetAction(Simulate);
        return command;
    }

    private static int Simulate(ParseResult parsed)
    {
        KeepAlivePolicy first = parsed.GetValue(Spec)!;
        KeepAlivePolicy[] policies = [.. ((IEnumerable<KeepAlivePolicy>)[first, .. parsed.GetValue(Compare) ?? []]).Distinct()];
        var scenario = new Scenario(World(parsed, first), parsed.GetValue(Timeout)!.Limit);
        var runs = new List<SimulatedRun>();
        using (var progress = new SimulationProgress(policies, scenario.World.Flows))
        {
            foreach (KeepAlivePolicy policy in policies) runs.Add(SimulatedRun.Of(scenario.World with { Policy = policy }, Environment.ProcessorCount, progress.Of(policy)));
        }

        parsed.InvocationConfiguration.Output.Write(
            parsed.GetValue(Json) ? JsonText.Of(writer => SimulationJson.Write(writer, scenario, runs))
            : runs.Count == 1 ? SimulationText.Of(scenario, runs[0]) : SimulationText.Compare(scenario, runs));
        return parsed.GetValue(Svg) is { } file ? Draw(file, scenario, runs) : CommandLine.Done;
    }

    private static int Draw(string file, Scenario scenario, IReadOnlyList<SimulatedRun> runs)
    {
        try
        {
            WholeFile.Write(file, TradeOffChart.Draw(scenario, runs));
            return CommandLine.Done;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            CommandLine.Complain($"keepalive: writing {Texts.Printable(file)}: {e.Message}");
            return CommandLine.Failed;
        }
    }

    private static SimulatedWorld World(ParseResult parsed, KeepAlivePolicy policy)
    {
        PathLimit? limit = parsed.GetValue(Timeout)!.Limit;
        var world = new SimulatedWorld(policy)
        {
            Flows = parsed.GetValue(Flows),
            Time = parsed.GetValue(Time),
            Seed = (ulong)parsed.GetValue(Seed),
            HasJitter = parsed.GetValue(Jitter) == JitterChoice.On,
            Loss = parsed.GetValue(Loss),
            DeathsPerDay = parsed.GetValue(Deaths),
            BindingTimeout = limit?.Timeout,
            Outages = IsGiven(parsed, OutageEvery) ? new Recurrence(parsed.GetValue(OutageEvery), parsed.GetValue(OutageFor)) : null,
            Sleep = IsGiven(parsed, SleepEvery) ? new Recurrence(parsed.GetValue(SleepEvery), parsed.GetValue(SleepFor)) : null,
            CutAt = IsGiven(parsed, CutAt) ? parsed.GetValue(CutAt) : null,
            TrafficEvery = IsGiven(parsed, Messages) ? parsed.GetValue(Messages) : null,
        };
        return limit?.Middlebox is { } known ? world with { Expiry = known.Expiry, Refresh = known.Refresh } : world;
    }

    private static void Check(CommandResult result)
    {
        bool given(Option option) => result.GetResult(option) is { Implicit: false };
        foreach ((Option every, Option lasts) in ((Option, Option)[])[(OutageEvery, OutageFor), (SleepEvery, SleepFor)])
            if (given(every) != given(lasts)) result.AddError($"{every.Name} and {lasts.Name} go together");
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    private static bool ReadPolicy(string text, out KeepAlivePolicy policy, out string? fault)
    {
        policy = KeepAlivePolicy.Default;
        if (!KeepAliveSpec.TryParse(text, out KeepAliveSpec spec, out fault)) return false;
        policy = spec.Policy ?? KeepAlivePolicy.Default;
        TimeSpan least = new SimulatedWorld(policy).RoundTrip;
        fault = !spec.IsOn ? "'off' sends no probe: there is nothing to simulate; give a policy such as 60:4:15"
            : policy.Interval <= least ? $"{policy}: the interval is not above {Duration.Format(least)}, the round trip that is simulated" : null;
        return fault is null;
    }

    private static bool ReadPolicies(string text, out IReadOnlyList<KeepAlivePolicy> policies, out string? fault)
    {
        var read = new List<KeepAlivePolicy>();
        policies = read;
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            // Named parts have commas of their own.
            fault = part.Contains('=', StringComparison.Ordinal) ? $"'{Texts.Printable(part)}': between commas write idle:count:interval" : null;
            if (fault is not null || !ReadPolicy(part, out KeepAlivePolicy policy, out fault)) return false;
            read.Add(policy);
        }

        fault = read.Count > PoliciesMax ? $"{read.Count} policies are more than {PoliciesMax}" : null;
        return fault is null;
    }

    private static bool ReadTimeout(string text, out OnPath onPath, out string? fault)
    {
        onPath = new OnPath(null);
        fault = null;
        if (text.Equals("none", StringComparison.OrdinalIgnoreCase)) return true;
        if (PathLimit.Read(text, out PathLimit limit, out fault)) onPath = new OnPath(limit);
        else fault += "; or none";
        return fault is null;
    }

    private static bool ReadDeaths(string text, out double value, out string? fault)
    {
        const double Most = 1000;
        bool good = double.TryParse(text, System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out value) && value <= Most;
        fault = good ? null : $"'{text}' is not a number of deaths a day from 0 to {Most}: give one such as 0.5";
        return good;
    }

    private static bool ReadFile(string text, out string? file, out string? fault)
    {
        file = text;
        fault = text.Length == 0 || text.Contains('\0', StringComparison.Ordinal) ? "a file has a name" : null;
        return fault is null;
    }

    private static bool ReadJitter(string text, out JitterChoice value, out string? fault)
    {
        fault = Enum.TryParse(text, ignoreCase: true, out value) && !char.IsAsciiDigit(text[0]) ? null : $"'{text}' is neither on nor off";
        return fault is null;
    }

    // A word, which the command line's library does not expect after a flag.
    private enum JitterChoice
    {
        Off,
        On,
    }

    // What the path has: perhaps nothing.
    private sealed record OnPath(PathLimit? Limit)
    {
        public override string ToString() => Limit is null ? "none" : Limit.Middlebox?.Name ?? Duration.Format(Limit.Timeout);
    }
}
