using System.Globalization;
using System.Net.Sockets;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Sockets;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>A client that behaves badly costs only itself, and a bounded amount of memory.</summary>
public class HostileClientTests : GatewayTests
{
    // Socket buffers on both legs, grown to this machine's limits; beyond that the bytes would be in our memory.
    private static readonly long AcceptedMax = LimitOf("tcp_rmem") + LimitOf("tcp_wmem") + (16 << 20);

    [Fact]
    public async Task A_client_that_never_reads_what_it_is_refused_is_held_back()
    {
        await using var bench = NewBench("ftp", o => o with { Probe = KeepAliveSpec.Off }, told: e => e.Kind != FlowEventKind.Notice);
        (Line client, Line server) = await bench.LogInAsync();
        byte[] bounces = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("PORT 1,2,3,4,0,25\r\n", 4096)));
        Assert.InRange(await AcceptedAsync(client.Socket, bounces, AcceptedMax), 1, AcceptedMax - 1);
        (Line good, Line its) = await bench.LogInAsync();
        await Bench.PassAsync(good, its, "PWD", "257 \"/\"");
        server.Dispose();
    }

    [Fact]
    public async Task A_server_that_never_reads_holds_the_client_back()
    {
        await using var bench = NewBench("ftp", o => o with { Probe = KeepAliveSpec.Off });
        (Line client, Line server) = await bench.LogInAsync();
        server.Socket.ReceiveBufferSize = 1 << 16;
        byte[] lines = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("\r\n" + new string('x', 998), 64)));
        Assert.InRange(await AcceptedAsync(client.Socket, lines, AcceptedMax), 1, AcceptedMax - 1);
        server.Dispose();
    }

    [Fact]
    public async Task NULs_and_every_other_byte_reach_the_server_as_they_are()
    {
        await using var bench = NewBench("ftp", o => o with { Probe = KeepAliveSpec.Off });
        (Line client, Line server) = await bench.LogInAsync();
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i), 0, 0, 0, (byte)'\r', (byte)'\n'];
        await client.Socket.SendAsync(all);
        byte[] got = new byte[all.Length];
        for (int at = 0; at < got.Length;) at += await server.Socket.ReceiveAsync(got.AsMemory(at)).AsTask().WaitAsync(Bench.Patience);
        Assert.Equal(all, got);
    }

    [Fact]
    public async Task A_client_that_says_nothing_has_its_greeting_and_holds_nobody_up()
    {
        await using var bench = NewBench("ftp");
        (Line silent, Line its) = await bench.PairAsync();
        await its.SayAsync("220 ready");
        Assert.Equal("220 ready", await silent.HearAsync());
        (Line client, Line server) = await bench.LogInAsync();
        await Bench.PassAsync(client, server, "PWD", "257 \"/\"");
        silent.Dispose();
        Assert.Equal(SocketError.Success, await its.EndAsync());
    }

    [Fact]
    public async Task A_client_that_speaks_first_still_reads_why_it_is_refused()
    {
        using DeafListener deaf = await DeafListener.OpenAsync();
        await using var bench = NewBench("ftp", o => o with
        {
            To = new HostPort("127.0.0.1", deaf.Port),
            ConnectTimeout = TimeSpan.FromMilliseconds(500),
        });
        using Line client = await bench.ConnectAsync();
        await client.SayAsync("USER eager");
        FlowEvent refused = await bench.EventAsync(FlowEventKind.Refused);
        Assert.Contains("within 500ms: 127.0.0.1: no answer", refused.Text, StringComparison.Ordinal);
        Assert.StartsWith("421 ", await client.HearAsync(), StringComparison.Ordinal);
        Assert.Equal(SocketError.Success, await client.EndAsync());
        while (bench.Gateway.Flows > 0) await Task.Yield();
        // No reset behind the FIN: other systems than Linux throw away at a reset what was not read yet.
        Assert.Equal(SocketError.Success, (SocketError)client.Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!);
    }

    [Fact]
    public async Task A_fault_in_a_protocol_costs_only_its_flow()
    {
        await using var bench = NewBench("ftp", o => o with
        {
            Protocol = new ProtocolEntry("faulty", [], default, _ => (_, now, _) => new FaultyProtocol(now)),
            Probe = KeepAliveSpec.Off,
        });
        (Line good, Line its) = await bench.PairAsync();
        foreach (string fault in (string[])["throw", "throw on the clock"])
        {
            (Line bad, Line server) = await bench.PairAsync();
            await bad.SayAsync(fault);
            Assert.Equal(SocketError.ConnectionReset, await bad.EndAsync());
            Assert.Equal(SocketError.ConnectionReset, await server.EndAsync());
            Assert.Contains("InvalidOperationException", (await bench.EventAsync(FlowEventKind.Died)).Text, StringComparison.Ordinal);
            await bench.EventAsync(FlowEventKind.Closed);
        }

        await Bench.PassAsync(good, its, "still", "here");
    }

    private static long LimitOf(string buffers) => long.Parse(File.ReadAllText($"/proc/sys/net/ipv4/{buffers}").Split('\t')[2], CultureInfo.InvariantCulture);

    // How many bytes the other side takes before nothing moves for two seconds.
    private static async Task<long> AcceptedAsync(Socket socket, byte[] block, long most)
    {
        socket.SendBufferSize = socket.ReceiveBufferSize = 1 << 16;
        long accepted = 0;
        try
        {
            while (accepted < most)
            {
                using var idle = new CancellationTokenSource(TimeSpan.FromSeconds(2));
                accepted += await socket.SendAsync(block, idle.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Held back.
        }

        return accepted;
    }

    /// <summary>Passes everything on, and throws when told to.</summary>
    private sealed class FaultyProtocol(Instant opened) : Protocol
    {
        private bool _onClock;

        public override Instant Deadline => _onClock ? opened : Instant.Never;

        public override void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
        {
            if (bytes.SequenceEqual("throw\r\n"u8)) throw new InvalidOperationException("told to");
            _onClock = bytes.StartsWith("throw"u8);
            verdicts.Send(from == Leg.Downstream ? Leg.Upstream : Leg.Downstream, bytes);
        }

        public override void OnEnded(Leg from, Verdicts verdicts)
        {
        }

        public override void OnDeadline(Instant now, Verdicts verdicts) => throw new InvalidOperationException("told to");

        public override ProbeAttempt TryProbe(Leg towards, Instant now, Verdicts verdicts) => new(ProbeOutcome.Withheld, "none");
    }
}
