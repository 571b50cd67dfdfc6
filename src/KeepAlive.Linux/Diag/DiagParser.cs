using System.Buffers.Binary;
using System.Net;

namespace KeepAlive.Linux.Diag;

/// <summary>What a datagram of the dump said about the dump itself.</summary>
internal enum DiagEnd
{
    /// <summary>More is to come.</summary>
    More,

    /// <summary>That was all.</summary>
    Done,

    /// <summary>The kernel refused; the errno is beside it.</summary>
    Error,
}

/// <summary>Reads inet_diag's netlink answers (linux/netlink.h, linux/inet_diag.h). Never reads past the bytes it got.</summary>
/// <remarks>
/// <code>
/// nlmsghdr: len u32 | type u16 | flags u16 | seq u32 | pid u32                                         16 bytes
/// inet_diag_msg: family u8 | state u8 | timer u8 | retrans u8 | sport be16 | dport be16 | src 16 | dst 16 |
///                if u32 | cookie 2×u32 | expires u32 | rqueue u32 | wqueue u32 | uid u32 | inode u32    72 bytes
/// rtattr: len u16 | type u16 | payload, padded to 4
/// </code>
/// </remarks>
internal static class DiagParser
{
    public const int SockDiagByFamily = 20;
    private const int NlmsgError = 2;
    private const int NlmsgDone = 3;
    private const int HeaderBytes = 16;
    private const int MessageBytes = 72;
    private const int InfoAttribute = 2;

    public static DiagEnd Read(ReadOnlySpan<byte> datagram, List<SocketRow> rows, out int errno)
    {
        errno = 0;
        while (datagram.Length >= HeaderBytes)
        {
            uint length = U32(datagram, 0);
            if (length < HeaderBytes || length > datagram.Length) return DiagEnd.More; // cut off: what is whole was read
            ReadOnlySpan<byte> body = datagram[HeaderBytes..(int)length];
            switch (BinaryPrimitives.ReadUInt16LittleEndian(datagram[4..]))
            {
                case NlmsgDone:
                    return DiagEnd.Done;
                case NlmsgError:
                    errno = body.Length >= 4 ? -BinaryPrimitives.ReadInt32LittleEndian(body) : 0;
                    return DiagEnd.Error;
                case SockDiagByFamily when body.Length >= MessageBytes:
                    rows.Add(Row(body));
                    break;
            }

            int padded = ((int)length + 3) & ~3;
            if (padded >= datagram.Length) break;
            datagram = datagram[padded..];
        }

        return DiagEnd.More;
    }

    private static SocketRow Row(ReadOnlySpan<byte> body)
    {
        bool v6 = body[0] == Native.Libc.AF_INET6;
        ReadOnlySpan<byte> info = Attribute(body[MessageBytes..], InfoAttribute);
        bool hasInfo = info.Length >= 60;
        return new SocketRow
        {
            State = body[1] <= (byte)TcpState.Closing ? (TcpState)body[1] : TcpState.Unknown,
            Timer = body[2] <= (byte)TcpTimer.DelayedAck ? (TcpTimer)body[2] : TcpTimer.None,
            Unanswered = body[3],
            Local = EndPoint(body.Slice(8, 16), BinaryPrimitives.ReadUInt16BigEndian(body[4..]), v6),
            Remote = EndPoint(body.Slice(24, 16), BinaryPrimitives.ReadUInt16BigEndian(body[6..]), v6),
            Cookie = BinaryPrimitives.ReadUInt64LittleEndian(body[44..]),
            TimerLeft = TimeSpan.FromMilliseconds(U32(body, 52)),
            ReceiveQueue = U32(body, 56),
            SendQueue = U32(body, 60),
            Uid = U32(body, 64),
            Inode = U32(body, 68),
            HasInfo = hasInfo,
            Unacknowledged = hasInfo ? U32(info, 24) : 0,
            SinceSent = Milliseconds(info, 44, hasInfo),
            SinceReceived = Milliseconds(info, 52, hasInfo),
            SinceAck = Milliseconds(info, 56, hasInfo),
        };
    }

    private static IPEndPoint EndPoint(ReadOnlySpan<byte> address, ushort port, bool v6)
    {
        var ip = new IPAddress(address[..(v6 ? 16 : 4)]);
        return new IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, port);
    }

    private static ReadOnlySpan<byte> Attribute(ReadOnlySpan<byte> attributes, int wanted)
    {
        while (attributes.Length >= 4)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
            if (length < 4 || length > attributes.Length) return [];
            if (BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]) == wanted) return attributes[4..length];
            int padded = (length + 3) & ~3;
            if (padded >= attributes.Length) return [];
            attributes = attributes[padded..];
        }

        return [];
    }

    private static TimeSpan Milliseconds(ReadOnlySpan<byte> info, int at, bool has) => has ? TimeSpan.FromMilliseconds(U32(info, at)) : default;

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
