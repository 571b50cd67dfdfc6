using System.Diagnostics;
using System.Globalization;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Packages;

/// <summary>
/// What a user has: the packages from a folder, and programs that are built of them. Through a real NAT that forgets connections after
/// 8 s each sample dies without its one line and lives with it.
/// </summary>
[Collection(Alone.Name)] // fourteen programs start at once here, each with a runtime of its own
public sealed class SampleTests(PackedFolder packed) : IClassFixture<PackedFolder>
{
    // The server answers after this: one and a half times what the NAT remembers.
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Each_dies_without_the_line_and_lives_with_it()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using ChildProcess server = await lab.Server.StartAsync(["dotnet", packed.Samples, "server", Delay.TotalSeconds.ToString(CultureInfo.InvariantCulture)]);
        await server.WaitForLineAsync(line => line == "listening", Bound);

        string[] samples = ["tcp", "connect", "http", "websocket", "own", "ftp"];
        (string Name, bool Lives, string[] Words)[] runs =
        [
            .. samples.Select(sample => ($"{sample} with the line", true, (string[])[sample, lab.Server.Address.ToString(), "on"])),
            .. samples.Select(sample => ($"{sample} without", false, (string[])[sample, lab.Server.Address.ToString(), "off"])),
            ("http without, from a Kestrel with the line", true, ["http", lab.Server.Address.ToString(), "off", "8081"]),
        ];
        string[] wrong = [.. (await Task.WhenAll(runs.Select(run => RunAsync(lab, run.Name, run.Lives, run.Words)))).OfType<string>()];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong) + "\nserver: " + server.Transcript);
    }

    [Fact]
    public async Task A_new_user_finds_a_dead_peer_in_seconds()
    {
        string folder = packed.NewProgram("first");
        await packed.DotnetAsync(folder, "new", "console", "--no-restore");
        await packed.DotnetAsync(folder, "package", "add", "KeepAlive");
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), """
            using KeepAlive;
            using var socket = await new KeepAliveConnector("2:2:1").ConnectAsync(args[0], int.Parse(args[1]));
            Console.WriteLine(socket.GetKeepAlive().Describe());
            try { socket.Receive(new byte[1]); }
            catch (System.Net.Sockets.SocketException e) { Console.WriteLine($"dead: {e.SocketErrorCode}"); }
            """);
        await packed.DotnetAsync(folder, "build", "-o", Path.Combine(folder, "out"));

        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using System.Net.Sockets.Socket listener = await lab.Server.InsideAsync(() => Gateway.DataEnds.Listen(lab.Server.Address));
        int port = ((System.Net.IPEndPoint)listener.LocalEndPoint!).Port;
        await using ChildProcess program = await lab.Client.StartAsync(
            ["dotnet", Path.Combine(folder, "out", "first.dll"), lab.Server.Address.ToString(), port.ToString(CultureInfo.InvariantCulture)]);
        Assert.Equal("on, idle 2s, 2 probes 1s apart: dead after 4s, user timeout 4s", await program.WaitForLineAsync(line => line.StartsWith("on", StringComparison.Ordinal), Bound));

        await lab.SwallowEverythingAsync();
        var since = Stopwatch.StartNew();
        Assert.Equal("dead: TimedOut", await program.WaitForLineAsync(line => line.StartsWith("dead", StringComparison.Ordinal), Bound));
        Assert.True(since.Elapsed < TimeSpan.FromSeconds(15), $"it took {since.Elapsed}");
    }

    private async Task<string?> RunAsync(NetworkLab lab, string name, bool lives, string[] words)
    {
        await using ChildProcess sample = await lab.Client.StartAsync(["dotnet", packed.Samples, .. words]);
        await sample.WaitForExitAsync(Bound);
        bool lived = sample.ExitCode == 0 && sample.Lines is [.., "news"];
        return lived == lives ? null : $"{name}: {(lives ? "did not live" : "did not die")}: {sample.Transcript}";
    }
}
