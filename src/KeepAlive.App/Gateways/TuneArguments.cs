using System.CommandLine;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Core;
using KeepAlive.Gateway.Tuning;

namespace KeepAlive.App.Gateways;

/// <summary>The options of <c>keepalive gateway</c> for kernel keepalive: one SPEC, what is known of each path, or what its flows tell.</summary>
internal static class TuneArguments
{
    private static readonly TimeSpan FloorMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FloorMax = TimeSpan.FromHours(2);

    private static readonly Option<TcpChoice> Tcp = CommandLine.Option<TcpChoice>("--tcp", "Kernel keepalive on both legs: idle:count:interval, on, off; auto: by what is known of each path", TcpChoice.TryParse, TcpChoice.DefaultText);
    private static readonly Option<bool> Tune = new("--tune") { Description = "Change it, path by path, when flows break while idle; what holds is kept for --tcp auto (Linux)" };
    private static readonly Option<TimeSpan?> Floor = CommandLine.Option<TimeSpan?>("--tune-floor", $"With --tune: idle is not lowered below this; {Duration.Format(Tuner.IdleFloorDefault)} unless given", FloorText);

    /// <summary><c>--tcp</c> alone.</summary>
    public static Option TcpOption => Tcp;

    public static IReadOnlyList<Option> All { get; } = [Tcp, Tune, Floor];

    /// <summary>What <c>--tcp</c> asks for.</summary>
    public static TcpChoice ChoiceOf(ParseResult parsed) => parsed.GetValue(Tcp);

    /// <summary>What is wrong with them together.</summary>
    public static IEnumerable<string> Faults(ParseResult parsed)
    {
        bool tunes = parsed.GetValue(Tune);
        if (tunes && parsed.GetValue(Tcp).Spec.Policy is null) yield return "--tune changes the numbers of kernel keepalive: give --tcp some to begin with, such as 60:3:20, or auto";
        if (tunes && !OperatingSystem.IsLinux()) yield return "--tune is to be had on Linux alone: elsewhere the kernel does not tell how long a peer was silent";
        if (!tunes && parsed.GetValue(Floor) is not null) yield return "--tune-floor is for tuning: give it with --tune";
    }

    /// <summary>Whether what is known of paths matters.</summary>
    public static bool UsesPaths(ParseResult parsed) => ChoiceOf(parsed).IsByPath || parsed.GetValue(Tune);

    /// <summary>What all gateways share of it; null where every path gets the same.</summary>
    /// <param name="parsed">The options.</param>
    /// <param name="store">What is known.</param>
    /// <param name="keep">Told of what holds.</param>
    /// <exception cref="MachineException">What is known cannot be read.</exception>
    public static PathPolicies? Read(ParseResult parsed, PathStore store, Action<TunedPath> keep)
    {
        TcpChoice choice = parsed.GetValue(Tcp);
        bool tunes = parsed.GetValue(Tune);
        if (!UsesPaths(parsed)) return null;
        return new PathPolicies(new PathPoliciesOptions
        {
            Default = choice.Spec.Policy!,
            Know = new KnownPaths(store.ReadBook(), choice).Of,
            Tune = tunes ? new TuneOptions { IdleFloor = parsed.GetValue(Floor) ?? Tuner.IdleFloorDefault, Keep = keep } : null,
        });
    }

    private static bool FloorText(string text, out TimeSpan? value, out string? fault)
    {
        bool good = Texts.DurationWithin(FloorMin, FloorMax)(text, out TimeSpan floor, out fault);
        value = good ? floor : null;
        return good;
    }
}
