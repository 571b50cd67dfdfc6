namespace KeepAlive.Protocols.Ftp;

/// <summary>Bytes waiting for their line end, or for leave to go on. Holds no memory when empty.</summary>
internal sealed class FtpLineBuffer
{
    private byte[] _bytes = [];
    private int _start;
    private int _end;

    public ReadOnlySpan<byte> Pending => _bytes.AsSpan(_start, _end - _start);

    public bool IsEmpty => _start == _end;

    public void Add(ReadOnlySpan<byte> more)
    {
        if (more.IsEmpty) return;
        int length = _end - _start;
        if (_end + more.Length > _bytes.Length)
        {
            byte[] larger = new byte[Math.Max(Math.Max(128, 2 * length), length + more.Length)];
            Pending.CopyTo(larger);
            (_bytes, _start, _end) = (larger, 0, length);
        }

        more.CopyTo(_bytes.AsSpan(_end));
        _end += more.Length;
    }

    public void Drop(int count)
    {
        _start += count;
        if (_start == _end) Clear();
    }

    public void Clear()
    {
        // An idle session keeps no buffer.
        _bytes = [];
        _start = _end = 0;
    }
}
