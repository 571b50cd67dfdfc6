using System.Net;
using System.Text.Json;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ftp;

/// <summary><c>keepalive gateway</c> as users start it, on a host of the lab.</summary>
public sealed class GatewayProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;

    private GatewayProcess(ChildProcess process, int port) => (_process, Port) = (process, port);

    /// <summary>Where it listens, on the loopback of its host.</summary>
    public int Port { get; }

    /// <summary>The events so far, by name.</summary>
    public int Count(string name) => _process.Lines.Count(l => l.StartsWith('{') && JsonDocument.Parse(l).RootElement.GetProperty("event").GetString() == name);

    public string Transcript => _process.Transcript;

    public int Id => _process.Id;

    /// <summary>Waits until this many events of a name were told.</summary>
    public async Task WaitForAsync(string name, int count, TimeSpan within)
    {
        int seen = 0;
        await _process.WaitForLineAsync(l => l.StartsWith($"{{\"event\":\"{name}\"", StringComparison.Ordinal) && ++seen >= count, within);
    }

    /// <summary>The first line with this in it.</summary>
    public Task<string> LineAsync(string text, TimeSpan within) => _process.WaitForLineAsync(l => l.Contains(text, StringComparison.Ordinal), within);

    /// <summary>Waits for something it says, on either stream.</summary>
    public Task WaitForTextAsync(string text) => _process.WaitForLineAsync(l => l.Contains(text, StringComparison.Ordinal), TimeSpan.FromSeconds(20));

    public static Task<GatewayProcess> StartAsync(NetworkSpace host, string server, int port, params string[] options) =>
        StartAsync(host, server, port, IPAddress.Loopback, options);

    public static Task<GatewayProcess> StartAsync(NetworkSpace host, string server, int port, IPAddress listenOn, params string[] options) =>
        StartAsync(host, ["--listen", $"{listenOn}:0", "--to", $"{server}:{port}", .. options]);

    /// <summary>One that redirects what its host dials, to a port; of its two addresses <see cref="Port"/> is that for IPv4.</summary>
    public static Task<GatewayProcess> StartTransparentAsync(NetworkSpace host, int port, params string[] options) =>
        StartAsync(host, ["--transparent", "--port", $"{port}", .. options]);

    /// <summary>With any options.</summary>
    public static async Task<GatewayProcess> StartAsync(NetworkSpace host, string[] options, IReadOnlyDictionary<string, string>? environment = null)
    {
        ChildProcess process = await host.StartAsync([Path.Combine(Repository.Root, "keepalive"), "gateway", "--json", .. options], environment: environment);
        string line = await process.WaitForLineAsync(l => l.Contains("\"listening\"", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
        string listen = JsonDocument.Parse(line).RootElement.GetProperty("listen").GetString()!;
        return new GatewayProcess(process, IPEndPoint.Parse(listen).Port);
    }

    /// <summary>Stops it as an init system does.</summary>
    public async Task<int> StopAsync()
    {
        await _process.SignalAsync("TERM");
        return await ExitCodeAsync();
    }

    public Task SignalAsync(string signal) => _process.SignalAsync(signal);

    /// <summary>Once it has ended.</summary>
    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync(TimeSpan.FromSeconds(40));
        return _process.ExitCode;
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
