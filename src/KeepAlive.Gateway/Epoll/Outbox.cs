using System.Buffers;
using System.Runtime.InteropServices;

namespace KeepAlive.Gateway.Epoll;

/// <summary>Bytes for a socket that had no room for them. There is one only while some wait.</summary>
internal sealed unsafe class Outbox
{
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private int _sent;

    // The byte to leave as TCP urgent data; -1 for none.
    private int _urgent = -1;

    public void Add(ReadOnlySpan<byte> bytes, int urgentUpTo)
    {
        if (urgentUpTo > 0) _urgent = _bytes.WrittenCount + urgentUpTo - 1;
        _bytes.Write(bytes);
    }

    /// <summary>0 when nothing waits any more, otherwise EAGAIN or why it failed.</summary>
    public int Send(int to)
    {
        while (_sent < _bytes.WrittenCount)
        {
            int errno = Send(to, _bytes.WrittenSpan[_sent..], _urgent - _sent, out int sent);
            _sent += sent;
            if (errno != 0) return errno;
        }

        return 0;
    }

    /// <summary>Sends what there is room for; the urgent byte by itself, so that no part of what precedes it can be taken for it.</summary>
    /// <param name="to">The socket.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="urgent">Which of them is TCP urgent data; negative for none.</param>
    /// <param name="sent">How many were taken.</param>
    /// <returns>0 when all were, otherwise EAGAIN or why it failed.</returns>
    public static int Send(int to, ReadOnlySpan<byte> bytes, int urgent, out int sent)
    {
        for (sent = 0; sent < bytes.Length;)
        {
            int length = sent < urgent ? urgent - sent : sent == urgent ? 1 : bytes.Length - sent;
            int flags = Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL | (sent == urgent ? Libc.MSG_OOB : 0);
            nint taken;
            fixed (byte* first = bytes) taken = Libc.send(to, first + sent, (nuint)length, flags);
            if (taken >= 0) sent += (int)taken;
            else if (Marshal.GetLastPInvokeError() is var errno && errno != Libc.EINTR) return errno;
        }

        return 0;
    }
}
