using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Launch;

/// <summary>
/// One end of a socketpair between the process that becomes the program and its supervisor: a byte each message, with a
/// descriptor or without (SCM_RIGHTS, unix(7)).
/// </summary>
internal sealed unsafe class Channel(OwnedFd fd) : IDisposable
{
    private const int SCM_RIGHTS = 1;
    private const int ControlBytes = 24; // struct cmsghdr: length u64 | level i32 | type i32 | the descriptor, i32, padded
    private const int ControlUsed = 20;
    private const int MSG_NOSIGNAL = 0x4000;
    private const int MSG_CMSG_CLOEXEC = 0x40000000;

    public int Fd => fd.Fd;

    /// <summary>Both ends, closed on exec.</summary>
    public static (Channel Ours, Channel Theirs) Pair()
    {
        int* pair = stackalloc int[2];
        Errno.Check(Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_SEQPACKET | Libc.SOCK_CLOEXEC, 0, pair), "socketpair");
        return (new Channel(new OwnedFd(pair[0])), new Channel(new OwnedFd(pair[1])));
    }

    /// <summary>Makes it outlive exec.</summary>
    public Channel Inheritable()
    {
        Errno.Check(Libc.fcntl(fd.Fd, Libc.F_SETFD, 0), "fcntl(F_SETFD)");
        return this;
    }

    /// <exception cref="SyscallException">The other end is gone.</exception>
    public void Send(byte word, OwnedFd? descriptor = null)
    {
        Span<byte> control = stackalloc byte[ControlBytes];
        control.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(control, ControlUsed);
        BinaryPrimitives.WriteInt32LittleEndian(control[8..], SocketOption.SOL_SOCKET);
        BinaryPrimitives.WriteInt32LittleEndian(control[12..], SCM_RIGHTS);
        BinaryPrimitives.WriteInt32LittleEndian(control[16..], descriptor?.Fd ?? 0);
        fixed (byte* c = control)
        {
            var vector = new IoVector { Base = &word, Length = 1 };
            var message = new MessageHeader { Vectors = &vector, VectorCount = 1 };
            if (descriptor is not null)
            {
                message.Control = c;
                message.ControlLength = ControlBytes;
            }

            Errno.Check(Libc.sendmsg(fd.Fd, &message, MSG_NOSIGNAL), "sendmsg");
        }
    }

    /// <summary>Waits for a word; null when the other end has gone, or says nothing for so long.</summary>
    public byte? Receive(out OwnedFd? descriptor, TimeSpan patience)
    {
        descriptor = null;
        var entry = new PollEntry { Fd = fd.Fd, Events = Libc.POLLIN };
        int ready;
        do ready = Libc.poll(&entry, 1, (int)patience.TotalMilliseconds);
        while (ready < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR);
        if (ready <= 0) return null;

        Span<byte> control = stackalloc byte[ControlBytes];
        control.Clear();
        fixed (byte* c = control)
        {
            byte word;
            var vector = new IoVector { Base = &word, Length = 1 };
            var message = new MessageHeader { Vectors = &vector, VectorCount = 1, Control = c, ControlLength = ControlBytes };
            if (Libc.recvmsg(fd.Fd, &message, MSG_CMSG_CLOEXEC) != 1) return null;
            if (message.ControlLength >= ControlUsed && BinaryPrimitives.ReadInt32LittleEndian(control[12..]) == SCM_RIGHTS)
                descriptor = new OwnedFd(BinaryPrimitives.ReadInt32LittleEndian(control[16..]));
            return word;
        }
    }

    public void Dispose() => fd.Dispose();
}
