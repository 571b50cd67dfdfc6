using System.Globalization;
using System.Text.Json;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Linux;

/// <summary>
/// A Python program with a listener and connections to it, which does nothing more. Its keepalive options are those the
/// script sets; <see cref="ListAsync"/> says what they became.
/// </summary>
internal sealed class Holder : IAsyncDisposable
{
    // Sets options on the near ends, prints the listener's port, then accepts and keeps whoever comes.
    private const string Source = """
        import socket, sys
        l = socket.socket(); l.bind(("127.0.0.1", 0)); l.listen(64)
        kept = []
        for i in range(int(sys.argv[1])):
            a = socket.create_connection(l.getsockname()); b, _ = l.accept(); kept += [a, b]
            for option in sys.argv[2:]:
                level, name, value = map(int, option.split(":")); a.setsockopt(level, name, value)
        print("port", l.getsockname()[1], flush=True)
        while True: kept.append(l.accept())
        """;

    private readonly ChildProcess _process;

    private Holder(ChildProcess process, int port) => (_process, Port) = (process, port);

    public int Pid => _process.Id;

    /// <summary>The listener's: every connection has it on one end.</summary>
    public int Port { get; }

    /// <param name="inside">The namespace.</param>
    /// <param name="prefix">What goes before the command, such as who is to run it.</param>
    /// <param name="connections">How many; each has two sockets.</param>
    /// <param name="options">For the dialling ends: <c>level:name:value</c>.</param>
    public static async Task<Holder> StartAsync(NetworkSpace inside, IReadOnlyList<string> prefix, int connections, params string[] options)
    {
        Requires.Programs("python3");
        // By env: it passes over an interpreter in a home that is closed to others.
        ChildProcess process = await inside.StartAsync([.. prefix, "/usr/bin/env", "python3", "-c", Source, connections.ToString(CultureInfo.InvariantCulture), .. options]);
        string line = await process.WaitForLineAsync(l => l.StartsWith("port ", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        return new Holder(process, int.Parse(line[5..], CultureInfo.InvariantCulture));
    }

    /// <summary>The connections of a listing.</summary>
    public static async Task<JsonElement[]> ListAsync(NetworkSpace inside, params string[] options) =>
        [.. Parse(await inside.RunAsync([Path.Combine(AppContext.BaseDirectory, "keepalive"), "list", "--json", "--netns", "own", .. options])).GetProperty("connections").EnumerateArray()];

    /// <summary>The listing in what a command printed: what could not be seen goes to stderr, behind the object.</summary>
    public static JsonElement Parse(string output)
    {
        int end = output.LastIndexOf("\n}", StringComparison.Ordinal) + 2;
        return JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..end]).RootElement;
    }

    /// <summary><c>off</c>, or <c>idle:count:interval user-timeout</c> in seconds and milliseconds.</summary>
    public static string Spell(JsonElement connection) => !connection.TryGetProperty("keepalive", out JsonElement on) ? "unknown"
        : !on.GetBoolean() ? "off"
        : $"{connection.GetProperty("idleSeconds")}:{connection.GetProperty("count")}:{connection.GetProperty("intervalSeconds")} {connection.GetProperty("userTimeoutMs")}";

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
