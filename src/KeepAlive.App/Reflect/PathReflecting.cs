using System.CommandLine;
using KeepAlive.App.Events;
using KeepAlive.App.Measure;
using KeepAlive.Paths.Reflect;

namespace KeepAlive.App.Reflect;

/// <summary><c>keepalive reflect</c>: for <c>keepalive measure</c>.</summary>
internal static class PathReflecting
{
    private static readonly Option<string?> Token = new("--token") { Description = "File with a secret that clients must have; or KEEPALIVE_TOKEN; else everybody may measure", HelpName = "FILE" };
    private static readonly Option<int> MaxClients = CommandLine.Option("--max-clients", "Who may measure at a time", Texts.NumberWithin(1, 10_000), "16");
    private static readonly Option<int> MaxLanes = CommandLine.Option("--max-lanes", "Connections of one of them", Texts.NumberWithin(1, 65_536), "256");

    public static Option[] Options { get; } = [Token, MaxClients, MaxLanes];

    /// <returns>What is wrong, and what to do; null when it was stopped.</returns>
    public static async Task<string?> RunAsync(ParseResult parsed, ReflectBounds bounds, EventPrinter printer, Task stop)
    {
        if (!TokenFile.TryRead(parsed.GetValue(Token), out byte[] token, out string? fault)) return fault;
        var options = new PathReflectorOptions { Listen = bounds.Listen, Token = token, MaxSessions = parsed.GetValue(MaxClients), MaxLanes = parsed.GetValue(MaxLanes) };
        options = options with
        {
            MaxFlows = bounds.MaxFlows ?? options.MaxFlows,
            MaxBytes = bounds.MaxBytes ?? options.MaxBytes,
            MaxTime = bounds.MaxTime ?? options.MaxTime,
        };
        await using PathReflector reflector = PathReflector.Start(options, printer.Print);
        printer.PrintReflecting($"{reflector.Listening}", token.Length > 0 ? "a token is needed" : "everybody may measure");
        await stop.ConfigureAwait(false);
        return null;
    }
}
