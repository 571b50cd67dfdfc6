using System.CommandLine;
using System.Globalization;
using System.Text;
using KeepAlive.App.Gateways;
using KeepAlive.App.Ping;
using KeepAlive.Core;

namespace KeepAlive.App.Measure;

/// <summary><c>keepalive measure --against URL</c>: what an ordinary server tells of a path.</summary>
internal static class AgainstCommand
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(ParseResult parsed, PingUrl url, TimeSpan max, bool isJson)
    {
        if (!PingCall.TryRead(parsed, url, out PingCall? call, out string? fault))
        {
            CommandLine.Complain($"keepalive measure: {fault}");
            return CommandLine.Misused;
        }

        string what = $"{url.Scheme.Name}://{url.To}";
        using var signals = new StopSignals();
        using var stop = new CancellationTokenSource();
        _ = signals.First.ContinueWith(_ => stop.CancelAsync(), TaskScheduler.Default);
        try
        {
            LadderFinding found = await new PingLadder(call, max, Timeout, CommandLine.Complain).RunAsync(stop.Token).ConfigureAwait(false);
            parsed.InvocationConfiguration.Output.Write(isJson ? ToJson(what, found) : ToText(what, found));
            return CommandLine.Done;
        }
        catch (PingLadderException e)
        {
            CommandLine.Complain($"keepalive measure: {Texts.Printable(e.Message)}");
        }
        catch (OperationCanceledException)
        {
            CommandLine.Complain("keepalive measure: stopped before anything was sure; a shorter --max takes less time");
        }

        return CommandLine.Failed;
    }

    private static string ToText(string what, LadderFinding found)
    {
        var text = new StringBuilder();
        if (found.High is not { } high) text.Append(CultureInfo.InvariantCulture, $"{what} answers after {PingVerdict.Seconds(found.Low)} of silence, the longest that was tried (--max).\n");
        else if (found.Low == TimeSpan.Zero) text.Append(CultureInfo.InvariantCulture, $"{what} does not answer after {PingVerdict.Seconds(high)} of silence, the shortest that is tried.\n");
        else text.Append(CultureInfo.InvariantCulture, $"{what} answers after {PingVerdict.Seconds(found.Low)} of silence, not after {PingVerdict.Seconds(high)}.\n");
        if (found.Lost is { } lost) text.Append(CultureInfo.InvariantCulture, $"What became of that session: {Texts.Printable(lost.Text)}.\n");
        text.Append(found.High is null
            ? "That proves what this side sends first, no more: many middleboxes take up a connection again that they had forgotten, when its inner side\nspeaks, and lose all that the server sends until then. 'keepalive reflect' at the far end tells.\n"
            : "Whether the path ends it or the server itself does is not told apart, and what the server sends first may be lost sooner:\n'keepalive reflect' at the far end tells.\n");
        text.Append(CultureInfo.InvariantCulture, $"{found.Sessions} sessions, {Duration.Format(TimeSpan.FromSeconds(Math.Round(found.Took.TotalSeconds)))}\n");
        return text.ToString();
    }

    private static string ToJson(string what, LadderFinding found) => JsonText.Of(json =>
    {
        json.WriteString("against", what);
        json.WriteString("spokeFirst", "client");
        json.WriteNumber("answeredSeconds", Math.Round(found.Low.TotalSeconds, 3));
        if (found.High is { } high) json.WriteNumber("lostSeconds", Math.Round(high.TotalSeconds, 3));
        else json.WriteNull("lostSeconds");
        json.WriteString("verdict", found.Lost?.Name);
        json.WriteString("text", found.Lost?.Text);
        json.WriteNumber("sessions", found.Sessions);
        json.WriteNumber("tookSeconds", Math.Round(found.Took.TotalSeconds, 3));
    });
}
