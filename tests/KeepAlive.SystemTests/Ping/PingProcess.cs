using System.Text.Json;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ping;

/// <summary><c>keepalive ping</c> as users start it, on the lab's client host.</summary>
internal static class PingProcess
{
    /// <summary>What <see cref="FateAsync"/> should come to.</summary>
    public const string GoodFate = "alive 0, frozen hung 1, before it began hung 1";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    public static Task<ChildProcess> StartAsync(NetworkLab lab, string url, string? password, params string[] options) => lab.Client.StartAsync(
        [Path.Combine(Repository.Root, "keepalive"), "ping", url, "--json", .. options],
        environment: password is null ? null : new Dictionary<string, string> { ["KEEPALIVE_PASSWORD"] = password });

    /// <summary>Pings, and says what that came to: <c>alive 0</c>.</summary>
    public static async Task<string> OutcomeAsync(NetworkLab lab, string url, string? password, params string[] options)
    {
        await using ChildProcess ping = await StartAsync(lab, url, password, options);
        return await OutcomeAsync(ping);
    }

    /// <summary>What one that was started came to; with all it said where that is nothing good.</summary>
    public static async Task<string> OutcomeAsync(ChildProcess ping)
    {
        await ping.WaitForExitAsync(Patience);
        JsonElement? summary = Summary(ping);
        return $"{summary?.GetProperty("verdict").GetString() ?? ping.Transcript} {ping.ExitCode}";
    }

    /// <summary>Its last line.</summary>
    public static JsonElement? Summary(ChildProcess ping) =>
        ping.Lines.LastOrDefault(l => l.StartsWith("{\"event\":\"summary\"", StringComparison.Ordinal)) is { } line ? JsonDocument.Parse(line).RootElement : null;

    /// <summary>Waits until a probe was answered.</summary>
    public static Task AnsweredAsync(ChildProcess ping) =>
        ping.WaitForLineAsync(l => l.StartsWith("{\"event\":\"answered\"", StringComparison.Ordinal), Patience);

    /// <summary>Two probes that are answered; then one ping during which the server is frozen, and one of the frozen server.</summary>
    public static async Task<string> FateAsync(NetworkLab lab, string url, string? password, int server, params string[] options)
    {
        string alive = await OutcomeAsync(lab, url, password, [.. options, "--count", "2", "--interval", "100ms"]);
        await using ChildProcess ping = await StartAsync(lab, url, password, [.. options, "--count", "1000", "--policy", "500ms:3:500ms"]);
        await AnsweredAsync(ping);
        await using Frozen frozen = await Frozen.FreezeAsync(server);
        string before = await OutcomeAsync(lab, url, password, [.. options, "--timeout", "1500ms"]);
        return $"{alive}, frozen {await OutcomeAsync(ping)}, before it began {before}";
    }
}
