using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using KeepAlive.App.Gateways;
using KeepAlive.App.Machine;
using KeepAlive.App.Ping;
using KeepAlive.Paths.Measure;
using KeepAlive.Paths.Reflect;
using KeepAlive.Sockets;

namespace KeepAlive.App.Measure;

/// <summary><c>keepalive measure HOST:PORT</c>: a path's idle timeout, and how it fails.</summary>
internal static class MeasureCommand
{
    private static readonly TimeSpan MaxMin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxMax = TimeSpan.FromDays(1);

    private static readonly Argument<HostPort?> Target = new("HOST:PORT")
    {
        Description = "Where 'keepalive reflect' runs, beyond the middlebox",
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = result => ReadTarget(result),
    };
    private static readonly Option<PingUrl?> Against = CommandLine.Option<PingUrl?>("--against", "Where no reflector is to be had: an ordinary server, by a URL as for ping; tells less", AgainstText);
    private static readonly Option<TimeSpan> Max = CommandLine.Option<TimeSpan>("--max", "The longest silence that is tried", MaxText, "10m");
    private static readonly Option<string?> Token = new("--token") { Description = "File with the reflector's secret; or KEEPALIVE_TOKEN", HelpName = "FILE" };
    private static readonly Option<string> Save = new("--save") { Description = "Where the result is kept for list, explain and gateway; or off", HelpName = "FILE", DefaultValueFactory = _ => PathStore.Default.Path };
    private static readonly Option<bool> Json = new("--json") { Description = "As one JSON object" };

    public static Command Create()
    {
        var command = new Command("measure", "A path's idle timeout, how it fails and what refreshes it: about twice as long as the timeout.") { Target };
        foreach (Option option in (Option[])[Max, Token, Save, Json, Against, .. PingCall.Options]) command.Options.Add(option);
        command.SetAction((parsed, cancellation) => RunAsync(parsed));
        return command;
    }

    /// <summary>How long a silence may be tried.</summary>
    public static bool MaxText(string text, out TimeSpan value, out string? fault) => Texts.DurationWithin(MaxMin, MaxMax)(text, out value, out fault);

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        if (parsed.GetValue(Against) is { } url) return parsed.GetValue(Target) is null ? await AgainstCommand.RunAsync(parsed, url, parsed.GetValue(Max), parsed.GetValue(Json)).ConfigureAwait(false) : Misused("give HOST:PORT or --against, not both");
        if (parsed.GetValue(Target) is not { } target) return Misused("give the HOST:PORT of a reflector, or an ordinary server by --against URL");
        if (Array.Find(PingCall.Options, o => parsed.GetResult(o) is { Implicit: false }) is { } stray) return Misused($"{stray.Name} is for --against");
        if (!TokenFile.TryRead(parsed.GetValue(Token), out byte[] token, out string? fault)) return Fail(fault!);
        using var signals = new StopSignals();
        using var stop = new CancellationTokenSource();
        var screen = new MeasureScreen();
        try
        {
            _ = signals.First.ContinueWith(_ => stop.CancelAsync(), TaskScheduler.Default);
            using Socket control = await new Dialer().DialAsync(target, stop.Token).ConfigureAwait(false);
            string local = $"{((IPEndPoint)control.LocalEndPoint!).Address}";
            var remote = (IPEndPoint)control.RemoteEndPoint!;
            PathFinding found = await new Measurer(new MeasureOptions { Max = parsed.GetValue(Max) }, token, screen.Show).RunAsync(control, stop.Token).ConfigureAwait(false);
            screen.Clear();
            if (found is { High: null, Low.Ticks: 0 }) return Fail($"{found.Failed} of {found.Failed + found.Connections} connections could not be made, so that nothing can be said: does something on the way limit connections?");
            var record = new PathRecord($"{target}", remote, local, DateTimeOffset.UtcNow, found);
            parsed.InvocationConfiguration.Output.Write(parsed.GetValue(Json) ? PathJson.ToText(record) : MeasureReport.ToText(found));
            if (parsed.GetValue(Save) is { } file and not "off") new PathStore(file).Save(record);
            return CommandLine.Done;
        }
        catch (OperationCanceledException)
        {
            screen.Clear();
            return Fail("stopped before anything was sure; a shorter --max takes less time");
        }
        catch (Exception e) when (e is PathProtocolException or DialException or MachineException)
        {
            screen.Clear();
            return Fail(Texts.Printable(e.Message));
        }
        catch (SocketException e)
        {
            screen.Clear();
            return Fail($"the connection to the reflector failed: {e.SocketErrorCode}");
        }
    }

    private static int Fail(string why)
    {
        CommandLine.Complain($"keepalive measure: {why}");
        return CommandLine.Failed;
    }

    private static int Misused(string why)
    {
        CommandLine.Complain($"keepalive measure: {why}");
        return CommandLine.Misused;
    }

    private static HostPort? ReadTarget(System.CommandLine.Parsing.ArgumentResult result)
    {
        if (result.Tokens.Count == 0) return null;
        if (HostPort.TryParse(result.Tokens[^1].Value, out HostPort target, out string? fault)) return target;
        // There may be a password in a URL.
        result.AddError(result.Tokens[^1].Value.Contains("://", StringComparison.Ordinal) ? "a URL goes with --against; without it give a reflector's HOST:PORT" : fault);
        return null;
    }

    private static bool AgainstText(string text, out PingUrl? value, out string? fault)
    {
        bool good = PingCall.ReadUrl(text, out PingUrl url, out fault);
        value = url;
        return good;
    }
}
