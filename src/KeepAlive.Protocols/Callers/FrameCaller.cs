using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Callers;

/// <summary>A caller that hears frames which tell their own length.</summary>
internal abstract class FrameCaller : Caller
{
    // What matters is shorter; of a longer one the rest is passed over.
    private const int FrameBytesMax = 16 * 1024;

    private readonly List<byte> _frame = [];
    private long _skip;

    /// <inheritdoc/>
    public sealed override void Hear(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && State != CallState.Strange)
        {
            if (_skip > 0)
            {
                int skipped = (int)Math.Min(_skip, bytes.Length);
                bytes = bytes[skipped..];
                _skip -= skipped;
                continue;
            }

            _frame.AddRange(bytes);
            bytes = default;
            while (_frame.Count > 0 && State != CallState.Strange && TakeFrame())
            {
            }
        }
    }

    /// <summary>How long the frame is that begins with these bytes.</summary>
    /// <param name="start">One byte at least.</param>
    protected abstract FrameMeasure Measure(ReadOnlySpan<byte> start);

    /// <summary>A frame, whole.</summary>
    protected abstract void OnFrame(ReadOnlySpan<byte> frame);

    private bool TakeFrame()
    {
        byte[] all = [.. _frame];
        FrameMeasure measure = Measure(all);
        if (measure.Doubt is { } doubt)
        {
            Surrender(doubt);
            return false;
        }

        if (measure.Bytes == 0) return false;
        if (measure.Bytes > all.Length)
        {
            if (measure.Bytes <= FrameBytesMax) return false;
            _skip = measure.Bytes - all.Length;
            _frame.Clear();
            return false;
        }

        int length = (int)measure.Bytes;
        _frame.RemoveRange(0, length);
        OnFrame(all.AsSpan(0, length));
        return true;
    }
}
