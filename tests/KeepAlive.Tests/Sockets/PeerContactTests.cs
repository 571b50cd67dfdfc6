using System.Runtime.InteropServices;
using KeepAlive.Sockets;

namespace KeepAlive.Tests.Sockets;

public sealed class PeerContactTests
{
    [Fact]
    public void Fields_are_where_the_kernel_puts_them()
    {
        byte[] info = new byte[PeerContact.InfoBytes];
        (info[0], info[3]) = (1, 7);
        foreach ((int at, uint value) in new[] { (24, 5u), (68, 250u), (52, 1500u), (56, uint.MaxValue) }) MemoryMarshal.Write(info.AsSpan(at), value);
        PeerContact contact = PeerContact.Decode(info)!.Value;
        Assert.Equal(7, contact.UnansweredProbes);
        Assert.Equal(5, contact.UnacknowledgedSegments);
        Assert.Equal(TimeSpan.FromMicroseconds(250), contact.RoundTrip);
        Assert.Equal(TimeSpan.FromMilliseconds(1500), contact.SinceData);
        Assert.Equal(TimeSpan.FromMilliseconds(uint.MaxValue), contact.SinceAck);
        Assert.Equal(contact.SinceData, contact.Silence);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(4, true)]
    [InlineData(7, false)]
    [InlineData(8, true)]
    [InlineData(10, false)]
    public void Only_a_connection_has_a_peer(byte state, bool tells)
    {
        byte[] info = new byte[PeerContact.InfoBytes];
        info[0] = state;
        Assert.Equal(tells, PeerContact.Decode(info) is not null);
    }
}
