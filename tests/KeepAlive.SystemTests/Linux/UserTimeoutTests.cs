using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Linux;

/// <summary>A dead peer behind unacknowledged data: keepalive waits while data is under way, the user timeout does not.</summary>
public sealed class UserTimeoutTests
{
    private const string Spec = "2:3:1"; // found dead after 5 s
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // Says something when it is told to (SIGUSR1), and how long it waited for an end.
    private const string Client = """
        import signal, socket, sys, time
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
        s.sendall(b"a"); s.recv(1)
        print("port", s.getsockname()[1], flush=True)
        signal.sigwait([signal.SIGUSR1])
        begun = time.monotonic(); s.sendall(b"b")
        try: s.recv(1); print("answered", flush=True)
        except OSError as e: print("dead", e.errno, time.monotonic() - begun, flush=True)
        """;

    [Fact]
    public async Task Keepalive_alone_does_not_find_it_and_with_the_user_timeout_it_is_found_in_detection_time()
    {
        Requires.Programs("python3", "ss");
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using Socket listener = await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address));
        _ = Clients.EchoAsync(listener);
        string[] client = ["--", "/usr/bin/env", "python3", "-c", Client, $"{lab.Server.Address}", $"{DataEnds.PortOf(listener)}"];
        await using ChildProcess alone = await lab.Client.StartAsync([Path.Combine(AppContext.BaseDirectory, "keepalive"), "run", Spec, "--user-timeout", "off", .. client]);
        await using ChildProcess both = await lab.Client.StartAsync([Path.Combine(AppContext.BaseDirectory, "keepalive"), "run", Spec, .. client]);
        string port = (await alone.WaitForLineAsync(l => l.StartsWith("port ", StringComparison.Ordinal), Patience))[5..];
        await both.WaitForLineAsync(l => l.StartsWith("port ", StringComparison.Ordinal), Patience);
        Assert.Equal("2:3:1 0", Holder.Spell(Assert.Single(await Holder.ListAsync(lab.Client, "--port", port))));

        await lab.SwallowEverythingAsync();
        await alone.SignalAsync("USR1");
        await both.SignalAsync("USR1");
        string[] dead = (await both.WaitForLineAsync(l => l.StartsWith("dead ", StringComparison.Ordinal), Patience)).Split(' ');
        Assert.Equal("110", dead[1]); // ETIMEDOUT
        Assert.InRange(double.Parse(dead[2], CultureInfo.InvariantCulture), 4, 8); // 5 s and a busy machine

        // Three times as long as keepalive would need for an idle connection, it is still taken for alive, and the listing says why.
        await Task.Delay(TimeSpan.FromSeconds(15 - double.Parse(dead[2], CultureInfo.InvariantCulture)), TestContext.Current.CancellationToken);
        JsonElement stuck = Assert.Single(await Holder.ListAsync(lab.Client, "--port", port));
        Assert.Equal(("established", "stuck", "retransmit"), (stuck.GetProperty("state").GetString(), stuck.GetProperty("verdict").GetString(), stuck.GetProperty("timer").GetString()));
        Assert.Matches("^stuck: unacknowledged data for (1[5-9]|[2-5][0-9])s, keepalive cannot help, user timeout can$", stuck.GetProperty("text").GetString());
        Assert.True(alone.IsRunning);
        Assert.DoesNotContain(alone.Lines, l => l.StartsWith("dead", StringComparison.Ordinal));
    }
}
