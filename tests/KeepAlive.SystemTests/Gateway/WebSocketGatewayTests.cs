using System.Net.Sockets;
using KeepAlive.Core;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>The WebSocket gateway between a client and a server that the test speaks for: probes towards both.</summary>
public class WebSocketGatewayTests : GatewayTests
{
    private const int PayloadBytes = 16;

    private static readonly KeepAliveSpec Quick = KeepAliveSpec.Parse("300ms:2:300ms");

    [Theory]
    [InlineData(Leg.Downstream)]
    [InlineData(Leg.Upstream)]
    public async Task Who_leaves_its_pings_unanswered_is_dead_and_both_legs_are_reset(object deadValue)
    {
        var dead = (Leg)deadValue;
        await using var bench = NewBench("websocket", o => o with { Probe = dead == Leg.Upstream ? Quick : KeepAliveSpec.Off, ClientProbe = dead == Leg.Downstream ? Quick : KeepAliveSpec.Off });
        (Line client, Line server) = await OpenAsync(bench);
        Assert.Equal(SocketError.ConnectionReset, await client.EndAsync());
        Assert.Equal(SocketError.ConnectionReset, await server.EndAsync());
        FlowEvent died = await bench.EventAsync(FlowEventKind.Died);
        Assert.Equal(dead, died.Leg);
        Assert.StartsWith("2 probes in a row unanswered; silent for ", died.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_answers_its_pings_proves_itself_without_kernel_keepalive()
    {
        await using var bench = NewBench("websocket", o => o with { Probe = Quick, ClientProbe = Quick, Tcp = KeepAliveSpec.Off });
        (Line client, Line server) = await OpenAsync(bench);
        _ = AnswerAsync(client.Socket, keyBytes: 0);
        // Well past the 900 ms after which a silent client is not vouched for.
        for (int answered = 0; answered < 10; answered++) await AnswerOnceAsync(server.Socket, keyBytes: 4);
        Assert.DoesNotContain(bench.Seen, e => e.Kind is FlowEventKind.ProbeWithheld or FlowEventKind.Died);
    }

    private static async Task<(Line Client, Line Server)> OpenAsync(Bench bench)
    {
        (Line client, Line server) = await bench.PairAsync();
        foreach (string line in (string[])["GET / HTTP/1.1", "Upgrade: websocket", ""]) await client.SayAsync(line);
        while (await server.HearAsync() is { Length: > 0 })
        {
        }

        foreach (string line in (string[])["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Sec-WebSocket-Accept: x", ""]) await server.SayAsync(line);
        while (await client.HearAsync() is { Length: > 0 })
        {
        }

        return (client, server);
    }

    private static async Task AnswerAsync(Socket socket, int keyBytes)
    {
        try
        {
            while (true) await AnswerOnceAsync(socket, keyBytes);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or EndOfStreamException)
        {
            // The test is over.
        }
    }

    // A ping's payload in a pong; who is pinged with a key answers without one, and the other way round.
    private static async Task AnswerOnceAsync(Socket socket, int keyBytes)
    {
        byte[] ping = new byte[2 + keyBytes + PayloadBytes];
        for (int read = 0; read < ping.Length;)
        {
            int more = await socket.ReceiveAsync(ping.AsMemory(read)).AsTask().WaitAsync(Bench.Patience);
            if (more == 0) throw new EndOfStreamException();
            read += more;
        }

        Assert.Equal(0x89, ping[0]);
        IEnumerable<byte> payload = ping[(2 + keyBytes)..].Select((b, i) => keyBytes > 0 ? (byte)(b ^ ping[2 + (i % 4)]) : b);
        byte[] pong = keyBytes > 0 ? [0x8A, PayloadBytes, .. payload] : [0x8A, 0x80 | PayloadBytes, 0, 0, 0, 0, .. payload];
        await socket.SendAsync(pong);
    }
}
