using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Handover;

/// <summary>Words between two processes of one machine, each with a socket or without (SCM_RIGHTS, unix(7)).</summary>
/// <param name="socket">A connected Unix socket that keeps messages apart (SOCK_SEQPACKET); closed with this.</param>
internal sealed unsafe class HandoverChannel(Socket socket) : IDisposable
{
    /// <summary>A longer word is not sent, and of one that comes the rest is lost.</summary>
    public const int WordBytesMax = 4096;

    private const int SOL_SOCKET = 1;
    private const int SO_PEERCRED = 17; // struct ucred: pid, uid, gid
    private const int SCM_RIGHTS = 1;
    private const int ControlBytes = 24; // struct cmsghdr: length u64 | level i32 | type i32 | the descriptor, i32, padded
    private const int ControlUsed = 20;
    private const short POLLOUT = 4;
    private const int RoomMs = 5000;
    private const int MSG_DONTWAIT = 0x40;
    private const int MSG_NOSIGNAL = 0x4000;
    private const int MSG_CMSG_CLOEXEC = 0x40000000;

    private readonly int _fd = (int)socket.SafeHandle.DangerousGetHandle();

    /// <summary>Who is at the other end, as it was when the two were connected.</summary>
    public (int Pid, uint User) Peer { get; } = PeerOf(socket);

    /// <summary>Whether the other end may ask for anything: the same user, or root.</summary>
    public bool IsPeerTrusted => Peer.User is 0 || Peer.User == Libc.geteuid();

    /// <summary>Waits a little for room: whoever does not read what it has asked for is not served.</summary>
    /// <exception cref="SyscallException">The other end is gone, or does not read.</exception>
    public void Send(string word, SafeHandle? passed = null)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(word);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, WordBytesMax, nameof(word));
        Span<byte> control = stackalloc byte[ControlBytes];
        control.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(control, ControlUsed);
        BinaryPrimitives.WriteInt32LittleEndian(control[8..], SOL_SOCKET);
        BinaryPrimitives.WriteInt32LittleEndian(control[12..], SCM_RIGHTS);
        BinaryPrimitives.WriteInt32LittleEndian(control[16..], passed is null ? -1 : (int)passed.DangerousGetHandle());
        fixed (byte* b = bytes, c = control)
        {
            var vector = new IoVector { Base = b, Length = (nuint)bytes.Length };
            var message = new MessageHeader { Vectors = &vector, VectorCount = 1 };
            if (passed is not null)
            {
                message.Control = c;
                message.ControlLength = ControlBytes;
            }

            nint sent = Libc.sendmsg(_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && Marshal.GetLastPInvokeError() == Errno.EAGAIN)
            {
                var room = new PollEntry { Fd = _fd, Events = POLLOUT };
                _ = Libc.poll(&room, 1, RoomMs);
                sent = Libc.sendmsg(_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
            }

            Errno.Check(sent, "sendmsg");
        }

        GC.KeepAlive(passed);
        GC.KeepAlive(socket);
    }

    /// <summary>Waits for a word; null when the other end has gone, or says nothing for so long.</summary>
    public Task<Handed?> ReceiveAsync(TimeSpan patience) => Task.Factory.StartNew(() => Receive(patience), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Ends the conversation: whoever waits for a word has none. To be done, and waited for, before this is disposed while somebody waits:
    /// the number of a closed descriptor is another's soon.</summary>
    public void HangUp() => socket.Shutdown(SocketShutdown.Both);

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    private static (int Pid, uint User) PeerOf(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];
        _ = socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, credentials);
        return (BinaryPrimitives.ReadInt32LittleEndian(credentials), BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]));
    }

    private Handed? Receive(TimeSpan patience)
    {
        var entry = new PollEntry { Fd = _fd, Events = Libc.POLLIN };
        int ready;
        do ready = Libc.poll(&entry, 1, (int)patience.TotalMilliseconds);
        while (ready < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR);
        if (ready <= 0) return null;

        byte[] bytes = new byte[WordBytesMax];
        Span<byte> control = stackalloc byte[ControlBytes];
        control.Clear();
        fixed (byte* b = bytes, c = control)
        {
            var vector = new IoVector { Base = b, Length = WordBytesMax };
            var message = new MessageHeader { Vectors = &vector, VectorCount = 1, Control = c, ControlLength = ControlBytes };
            nint length = Libc.recvmsg(_fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
            GC.KeepAlive(socket);
            if (length <= 0) return null;
            bool isPassed = message.ControlLength >= ControlUsed && BinaryPrimitives.ReadInt32LittleEndian(control[12..]) == SCM_RIGHTS;
            return new Handed(Encoding.UTF8.GetString(bytes, 0, (int)length), isPassed ? HandedSocket.Own(BinaryPrimitives.ReadInt32LittleEndian(control[16..])) : null);
        }
    }
}

/// <summary>A word, and the socket that came with it.</summary>
/// <param name="Word">What was said.</param>
/// <param name="Socket">Now ours; null for none.</param>
internal sealed record Handed(string Word, Socket? Socket);
