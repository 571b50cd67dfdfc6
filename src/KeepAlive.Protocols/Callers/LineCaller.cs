namespace KeepAlive.Protocols.Callers;

/// <summary>A caller that hears lines.</summary>
internal abstract class LineCaller : Caller
{
    // Nothing that matters is longer; the rest of a longer line is passed over.
    private const int LineBytesMax = 4096;

    private readonly List<byte> _line = [];

    /// <inheritdoc/>
    public sealed override void Hear(ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            if (b != '\n')
            {
                if (_line.Count < LineBytesMax) _line.Add(b);
                continue;
            }

            byte[] line = _line is [.., (byte)'\r'] ? [.. _line[..^1]] : [.. _line];
            _line.Clear();
            OnLine(line);
        }
    }

    /// <summary>A line, without its end.</summary>
    protected abstract void OnLine(ReadOnlySpan<byte> line);
}
