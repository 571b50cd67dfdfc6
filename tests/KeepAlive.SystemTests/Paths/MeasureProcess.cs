using System.Net;
using System.Text.Json;
using KeepAlive.Paths.Reflect;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Paths;

/// <summary><c>keepalive measure</c> as users start it, on the lab's client host, against a reflector on the server's.</summary>
internal static class MeasureProcess
{
    private static readonly string[] Asked = ["clientKeepAliveRefreshes", "serverKeepAliveRefreshes", "clientBytesRefresh", "serverBytesRefresh", "keepAliveCrosses"];

    public static Task<PathReflector> ReflectAsync(NetworkLab lab) =>
        lab.Server.InsideAsync(() => PathReflector.Start(new PathReflectorOptions { Listen = new IPEndPoint(lab.Server.Address, 0) }, _ => { }));

    public static Task<ChildProcess> StartAsync(NetworkSpace host, IPEndPoint target, string folder, params string[] options) =>
        host.StartAsync([Path.Combine(Repository.Root, "keepalive"), "measure", $"{target}", "--save", Path.Combine(folder, "paths.json"), .. options]);

    /// <summary>Measures, and gives what it printed.</summary>
    public static async Task<JsonElement> ResultAsync(NetworkSpace host, IPEndPoint target, TimeSpan patience, params string[] options)
    {
        using var work = new WorkFolder();
        await using ChildProcess measure = await StartAsync(host, target, work.Path, ["--json", .. options]);
        await measure.WaitForExitAsync(patience);
        Assert.True(measure.ExitCode == 0, measure.Transcript);
        return Printed(measure);
    }

    /// <summary>The object among its lines.</summary>
    public static JsonElement Printed(ChildProcess measure) =>
        JsonDocument.Parse(string.Join('\n', measure.Lines.SkipWhile(l => l != "{").TakeWhile(l => l != "}")) + "}").RootElement;

    /// <summary>What refreshes, in one line: keepalive of the client and the server, data of both, and whether keepalive crosses.</summary>
    public static string Answers(JsonElement result) => string.Join(' ', Asked.Select(name => result.GetProperty(name).ValueKind switch { JsonValueKind.True => "yes", JsonValueKind.False => "no", _ => "unknown" }));

    /// <summary>Whether both ends of what was found are within 1 s, or 1 %, of the timeout.</summary>
    public static bool IsWithin(double timeout, JsonElement result)
    {
        double close = Math.Max(1, timeout * 0.01);
        return result.GetProperty("lostSeconds") is { ValueKind: JsonValueKind.Number } lost
            && Math.Abs(lost.GetDouble() - timeout) <= close && Math.Abs(result.GetProperty("survivedSeconds").GetDouble() - timeout) <= close;
    }
}
