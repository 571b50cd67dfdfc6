using System.CommandLine;
using KeepAlive.App.Measure;
using KeepAlive.Sockets;

namespace KeepAlive.App.Configuration;

/// <summary>What a policy of the fleet may say of a path that is to be measured, as options.</summary>
internal static class MeasureTargetArguments
{
    private static readonly Option<HostPort> To = CommandLine.Option<HostPort>("--to", "The reflector: HOST:PORT", HostPort.TryParse);
    private static readonly Option<TimeSpan> Every = CommandLine.Option("--every", "What is older is measured again", Texts.DurationWithin(TimeSpan.FromMinutes(1), TimeSpan.FromDays(365)), "7d");
    private static readonly Option<TimeSpan> Max = CommandLine.Option<TimeSpan>("--max", "The longest silence that is tried", MeasureCommand.MaxText, "10m");

    public static Command Create() => new("measure", "A path.") { To, Every, Max };

    /// <summary>The target; null where there is none.</summary>
    public static MeasureTarget? Read(ParseResult parsed) =>
        parsed.GetResult(To) is { } to && !to.Errors.Any() ? new MeasureTarget(parsed.GetValue(To), parsed.GetValue(Every), parsed.GetValue(Max)) : null;
}
