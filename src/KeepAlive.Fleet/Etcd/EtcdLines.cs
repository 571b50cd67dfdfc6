namespace KeepAlive.Fleet.Etcd;

/// <summary>A stream's lines, none longer than it may be. The last may lack its end: the gateway's errors do.</summary>
internal sealed class EtcdLines(Stream stream, int lineMax)
{
    private const int Little = 4096; // what a silent watch holds

    private byte[] _buffer = new byte[Little];
    private int _start;
    private int _end;

    /// <summary>The next line without its end, good until the next call; null at the stream's end.</summary>
    /// <exception cref="EtcdCallException">It is too long.</exception>
    public async Task<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancel)
    {
        for (int searched = 0; ;)
        {
            int at = _buffer.AsSpan((_start + searched).._end).IndexOf((byte)'\n');
            int length = at >= 0 ? searched + at : _end - _start;
            if (length > lineMax) throw EtcdBody.TooLong(lineMax);
            if (at >= 0) return Take(length, 1);
            searched = length;
            MakeRoom();
            int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancel).ConfigureAwait(false);
            _end += read;
            if (read > 0) continue;
            if (searched > 0) return Take(searched, 0);
            return null;
        }
    }

    private ReadOnlyMemory<byte> Take(int length, int terminator)
    {
        ReadOnlyMemory<byte> line = _buffer.AsMemory(_start, length);
        _start += length + terminator;
        return line;
    }

    // The line before is done with: what is left goes to the front, into a buffer that is little if it can be.
    private void MakeRoom()
    {
        int held = _end - _start;
        byte[] next = held == _buffer.Length ? new byte[(int)Math.Min(2L * held, lineMax + 1L)] : held < Little / 2 && _buffer.Length > Little ? new byte[Little] : _buffer;
        if (held == 0 && next == _buffer)
        {
            (_start, _end) = (0, 0);
            return;
        }

        _buffer.AsSpan(_start, held).CopyTo(next);
        (_buffer, _start, _end) = (next, 0, held);
    }
}
