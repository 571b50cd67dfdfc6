using System.Net.Sockets;
using System.Text;

namespace KeepAlive.Paths.Reflect;

/// <summary>A connection as lines of the path protocol.</summary>
internal sealed class PathLines(Socket socket) : IDisposable
{
    private readonly byte[] _buffer = new byte[PathProtocol.LineBytesMax];
    private readonly SemaphoreSlim _writing = new(1);
    private int _have;

    public Socket Socket => socket;

    /// <summary>Bytes that came.</summary>
    public long BytesRead { get; private set; }

    /// <summary>The words of the next line; null at the end of the stream.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    /// <exception cref="PathProtocolException">What came is no line of the protocol.</exception>
    public async Task<string[]?> ReadAsync(CancellationToken stop)
    {
        while (true)
        {
            int end = _buffer.AsSpan(0, _have).IndexOf((byte)'\n');
            if (end >= 0) return Take(end);
            if (_have == _buffer.Length) throw new PathProtocolException($"a line of more than {PathProtocol.LineBytesMax} bytes came");
            int read = await socket.ReceiveAsync(_buffer.AsMemory(_have), SocketFlags.None, stop).ConfigureAwait(false);
            if (read == 0) return null;
            _have += read;
            BytesRead += read;
        }
    }

    /// <exception cref="SocketException">The connection failed.</exception>
    public async Task WriteAsync(string line, CancellationToken stop)
    {
        ReadOnlyMemory<byte> left = Encoding.ASCII.GetBytes(line + "\n");
        await _writing.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            while (!left.IsEmpty) left = left[await socket.SendAsync(left, SocketFlags.None, stop).ConfigureAwait(false)..];
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Ends the connection by a reset: nothing lingers behind a middlebox that has forgotten it.</summary>
    public void Reset()
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Ended already.
        }

        socket.Dispose();
    }

    public void Dispose() => socket.Dispose();

    private string[] Take(int end)
    {
        ReadOnlySpan<byte> line = _buffer.AsSpan(0, end);
        if (line.ContainsAnyExceptInRange((byte)' ', (byte)'~')) throw new PathProtocolException("a line came that is not of printable ASCII");
        string[] words = Encoding.ASCII.GetString(line).Split(' ');
        _have -= end + 1;
        _buffer.AsSpan(end + 1, _have).CopyTo(_buffer);
        return words;
    }
}

/// <summary>The other end does not speak the path protocol, or refuses.</summary>
internal sealed class PathProtocolException : Exception
{
    /// <summary>With no reason.</summary>
    public PathProtocolException()
    {
    }

    /// <summary>What came, and what to do.</summary>
    public PathProtocolException(string message)
        : base(message)
    {
    }

    /// <summary>With its cause.</summary>
    public PathProtocolException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
