using System.Net;
using System.Net.Sockets;
using KeepAlive.Sockets;

namespace KeepAlive.SystemTests.Sockets;

public sealed class PeerContactTests
{
    public PeerContactTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "TCP_INFO is read on Linux only");

    [Fact]
    public async Task A_live_pair_tells_when_it_last_heard()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        await Task.Delay(300, TestContext.Current.CancellationToken);
        PeerContact quiet = PeerContact.Read(pair.Client)!.Value;
        Assert.Equal((0, 0), (quiet.UnansweredProbes, quiet.UnacknowledgedSegments));
        Assert.InRange(quiet.Silence, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30));

        await pair.Server.SendAsync("x"u8.ToArray(), TestContext.Current.CancellationToken);
        await pair.Client.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken);
        PeerContact heard = PeerContact.Read(pair.Client)!.Value;
        Assert.True(heard.SinceData < quiet.SinceData, $"{heard.SinceData} after data, {quiet.SinceData} before");
        Assert.Equal(heard.SinceData < heard.SinceAck ? heard.SinceData : heard.SinceAck, heard.Silence);
    }

    [Fact]
    public async Task Data_the_peer_cannot_take_stays_unacknowledged_or_is_probed()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        pair.Client.Blocking = false;
        try
        {
            while (true) pair.Client.Send(new byte[65536]);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            // The peer reads nothing: its window and our buffer are full, and the kernel's zero-window probes begin.
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(10));
        while (PeerContact.Read(pair.Client) is not ({ UnacknowledgedSegments: > 0 } or { UnansweredProbes: > 0 }))
            await Task.Delay(5, patience.Token);
    }

    [Fact]
    public async Task Only_connections_have_a_peer()
    {
        using Socket listener = Loopback.Listen(IPAddress.Loopback);
        using var unconnected = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var local = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Assert.Null(PeerContact.Read(listener));
        Assert.Null(PeerContact.Read(unconnected));
        Assert.Null(PeerContact.Read(local));
        using Loopback pair = await Loopback.ConnectAsync(listener);
        Assert.NotNull(PeerContact.Read(pair.Server));
        pair.Client.Reset();
        await Assert.ThrowsAsync<SocketException>(() => pair.Server.ReceiveAsync(new byte[1]));
        Assert.Null(PeerContact.Read(pair.Server));
    }

    [Fact]
    public async Task Reading_allocates_nothing()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        AllocatedBytes(pair.Client, rounds: 10);
        Assert.Equal(0, AllocatedBytes(pair.Client, rounds: 1000));
    }

    private static long AllocatedBytes(Socket socket, int rounds)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < rounds; i++) PeerContact.Read(socket);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
