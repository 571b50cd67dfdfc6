using System.Net;
using System.Net.Sockets;
using System.Text;
using KeepAlive.Paths.Measure;
using KeepAlive.Paths.Reflect;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Paths;

public sealed class ReflectorTests
{
    private static readonly byte[] Token = "a shared secret"u8.ToArray();
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string Opening = $"KEEPALIVE-PATH/1 CONTROL {new string('a', 32)} ".PadRight(192, '.') + "\n";

    // What hostile clients send, and again as long as they are let.
    private static readonly (string What, string Says)[] Hostile =
    [
        ("says nothing", ""),
        ("says half a line", "KEEPALIVE-PATH/1 CONT"),
        ("never ends its line", new string('x', 4096)),
        ("asks for an answer and stays", Opening),
        ("guesses the token", Opening + $"PROOF {new string('0', 64)}\n"),
        ("opens lanes of nobody's session", $"KEEPALIVE-PATH/1 LANE {new string('b', 32)} 1 1000 0 0\n"),
        ("speaks HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("speaks in bytes", "\u0001\u0002\u00ff\n"),
    ];

    /// <summary>A process of its own, so that what it takes can be counted.</summary>
    [Fact]
    public async Task A_thousand_hostile_and_slow_clients_stay_within_its_bounds_and_hinder_nobody()
    {
        using var work = new WorkFolder();
        await File.WriteAllBytesAsync(work.File("token"), Token, TestContext.Current.CancellationToken);
        await using ChildProcess reflect = await ChildProcess.StartAsync([Path.Combine(AppContext.BaseDirectory, "keepalive"), "reflect", "--listen", "127.0.0.1:0", "--token", work.File("token")]);
        string listening = await reflect.WaitForLineAsync(l => l.StartsWith("listening on ", StringComparison.Ordinal), Patience);
        IPEndPoint reflector = IPEndPoint.Parse(listening["listening on ".Length..listening.IndexOf(';', StringComparison.Ordinal)]);
        (int descriptors, long memory) = Taken(reflect.Id);

        using var over = new CancellationTokenSource();
        Task[] hostile = [.. Enumerable.Range(0, 1000).Select(i => AttackAsync(reflector, Hostile[i % Hostile.Length].Says, over.Token))];
        int descriptorsMax = 0;
        long memoryMax = 0;
        Task watching = WatchAsync(() => (descriptorsMax, memoryMax) = (Math.Max(descriptorsMax, Taken(reflect.Id).Descriptors), Math.Max(memoryMax, Taken(reflect.Id).Memory)), over.Token);
        PathFinding found = await MeasureAsync(reflector, Token).WaitAsync(Patience, TestContext.Current.CancellationToken);
        await over.CancelAsync();
        await Task.WhenAll([.. hostile, watching]).WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal((TimeSpan.FromSeconds(10), null, 0), (found.Low, found.High, found.Failed));
        // The 256 unproven, one that comes, the honest client's, and a few of the runtime's own; the attackers were more than that.
        Assert.InRange(descriptorsMax - descriptors, 200, 256 + 1 + found.Connections + 30);
        Assert.InRange(memoryMax - memory, 0, 100 << 20);
    }

    [Theory]
    [InlineData("")]
    [InlineData("KEEPALIVE-PATH/1 CONTROL aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n")]
    [InlineData("KEEPALIVE-PATH/1 CONTROL AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA .....................................................................................................................................................................\n")]
    [InlineData("opening")]
    [InlineData("guess")]
    public async Task Never_says_more_than_it_heard_before_a_client_is_proven(string says)
    {
        string text = says == "opening" ? Opening : says == "guess" ? Opening + $"PROOF {new string('0', 64)}\n" : says;
        await using PathReflector reflector = PathReflector.Start(new PathReflectorOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Token = Token, ProofTime = TimeSpan.FromSeconds(1) }, _ => { });
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(reflector.Listening, TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        byte[] buffer = new byte[4096];
        int heard = 0;
        try
        {
            while (await socket.ReceiveAsync(buffer.AsMemory(), TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken) is > 0 and int read) heard += read;
        }
        catch (SocketException)
        {
            // A reset is an end, too.
        }

        Assert.InRange(heard, 0, text.Length);
    }

    [Fact]
    public async Task A_client_that_floods_its_session_is_ended()
    {
        List<string> told = [];
        await using PathReflector reflector = PathReflector.Start(new PathReflectorOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), MaxBytes = 10_000 }, e =>
        {
            lock (told) told.Add(e.Text);
        });
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(reflector.Listening, TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes(Opening + "PROOF -\n"), TestContext.Current.CancellationToken);
        byte[] ping = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("PING 1\n", 100))), buffer = new byte[4096];
        int pongs = 0;
        try
        {
            while (true)
            {
                await socket.SendAsync(ping, TestContext.Current.CancellationToken);
                int read = await socket.ReceiveAsync(buffer.AsMemory(), TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);
                if (read == 0) break;
                pongs += read;
            }
        }
        catch (SocketException)
        {
            // Ended with what it had sent unread.
        }

        Assert.InRange(pongs, 1000, 11_000);
        for (var wait = System.Diagnostics.Stopwatch.StartNew(); wait.Elapsed < Patience; await Task.Delay(10, TestContext.Current.CancellationToken))
        {
            lock (told) if (told.Exists(t => t.Contains("more than --max-bytes allows", StringComparison.Ordinal))) return;
        }

        Assert.Fail("nobody was told why");
    }

    [Theory]
    [InlineData("a shared secret", "", "wants its token")]
    [InlineData("a shared secret", "another", "did not take the token")]
    [InlineData("", "a shared secret", "has no token")]
    public async Task A_token_is_asked_for_on_both_sides(string theirs, string ours, string says)
    {
        await using PathReflector reflector = PathReflector.Start(new PathReflectorOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Token = Encoding.UTF8.GetBytes(theirs) }, _ => { });
        PathProtocolException refused = await Assert.ThrowsAsync<PathProtocolException>(() => MeasureAsync(reflector.Listening, Encoding.UTF8.GetBytes(ours)).WaitAsync(Patience));
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_reflector_going_away_ends_a_measurement()
    {
        PathReflector reflector = PathReflector.Start(new PathReflectorOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0) }, _ => { });
        var begun = new TaskCompletionSource();
        Task<PathFinding> measuring = MeasureAsync(reflector.Listening, [], m =>
        {
            if (m.Lanes.Count(l => l.Stage == LaneStage.Held) > 8) begun.TrySetResult();
        });
        await begun.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        await reflector.DisposeAsync();
        Assert.True(await Record.ExceptionAsync(() => measuring.WaitAsync(Patience)) is PathProtocolException or SocketException, "it was taken for what the path does");
    }

    [Fact]
    public async Task The_program_reflects_with_a_token_and_says_who_came()
    {
        Requires.Lab();
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await File.WriteAllBytesAsync(work.File("token"), Token, TestContext.Current.CancellationToken);
        await using ChildProcess reflect = await lab.Server.StartAsync([Path.Combine(Repository.Root, "keepalive"), "reflect", "--listen", $"{lab.Server.Address}:7201", "--token", work.File("token")]);
        await reflect.WaitForLineAsync(l => l.StartsWith("listening", StringComparison.Ordinal), Patience);
        var target = new IPEndPoint(lab.Server.Address, 7201);
        await using ChildProcess stranger = await MeasureProcess.StartAsync(lab.Client, target, work.Path);
        await stranger.WaitForExitAsync(Patience);
        Assert.Equal(1, stranger.ExitCode);
        Assert.Contains("give --token FILE", stranger.Transcript, StringComparison.Ordinal);
        await using ChildProcess measure = await MeasureProcess.StartAsync(lab.Client, target, work.Path, "--token", work.File("token"), "--max", "20s");
        await measure.WaitForExitAsync(TimeSpan.FromSeconds(60));
        Assert.True(measure.ExitCode == 0, measure.Transcript);
        Assert.Contains("this path drops idle flows silently after 8", measure.Transcript, StringComparison.Ordinal);
        Assert.Contains("TCP keepalive refreshes it", measure.Transcript, StringComparison.Ordinal);
        await reflect.WaitForLineAsync(l => l.Contains("is done", StringComparison.Ordinal), Patience);
        Assert.DoesNotContain("shared secret", reflect.Transcript + measure.Transcript, StringComparison.Ordinal);
    }

    private static async Task<PathFinding> MeasureAsync(IPEndPoint reflector, byte[] token, Action<Measurement>? onProgress = null)
    {
        var control = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        control.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await control.ConnectAsync(reflector);
        return await new Measurer(new MeasureOptions { Max = TimeSpan.FromSeconds(10) }, token, onProgress ?? (_ => { })).RunAsync(control, CancellationToken.None);
    }

    // From another address than the honest client's, slowly, and again whenever it is thrown out.
    private static async Task AttackAsync(IPEndPoint reflector, string says, CancellationToken over)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(says), buffer = new byte[256];
        while (!over.IsCancellationRequested)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.66"), 0));
                await socket.ConnectAsync(reflector, over);
                await socket.SendAsync(bytes.AsMemory(), over);
                while (await socket.ReceiveAsync(buffer.AsMemory(), over) > 0)
                {
                }

                await Task.Delay(TimeSpan.FromSeconds(1), over); // a thousand connections a second are flood enough
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private static (int Descriptors, long Memory) Taken(int pid)
    {
        string resident = File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return (Directory.GetFiles($"/proc/{pid}/fd").Length, long.Parse(resident.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024);
    }

    private static async Task WatchAsync(Action look, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            look();
            await Task.Delay(20, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
