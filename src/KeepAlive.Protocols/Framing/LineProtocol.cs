using KeepAlive.Core;

namespace KeepAlive.Protocols.Framing;

/// <summary>
/// A protocol of lines that end in LF, with stretches of counted bytes between them. A line is told of by its start, at
/// most <see cref="StartBytesMax"/> of it; a longer one passes in pieces.
/// </summary>
/// <remarks>
/// <code>
/// bytes ─▶ OnLine: its start, pass or swallow ─▶ the rest of it, in pieces ─▶ OnLineEnd: its last bytes
///            └ ExpectBytes: so many that are no lines
/// </code>
/// </remarks>
internal abstract class LineProtocol : FramedProtocol
{
    /// <summary>How much of a line is held until its end has come; commands and answers that matter are shorter (IRC 512 bytes, SMTP 1000).</summary>
    public const int StartBytesMax = 1024;

    /// <summary>How much of a line's end is told of.</summary>
    protected const int EndBytesMax = 32;

    private Side _client;
    private Side _server;

    // Where one direction stands.
    private struct Side
    {
        public long Bytes;
        public bool IsInLine;
        public FrameFate Fate;
        public byte[]? End;
    }

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    /// <param name="idleAgeMax">How long after the client's last message an idle session is probed; without end unless given.</param>
    protected LineProtocol(Instant now, TimeSpan? idleAgeMax = null)
        : base(now, idleAgeMax)
    {
    }

    /// <inheritdoc/>
    protected override bool IsInMessage(Leg from) => Of(from).IsInLine || Of(from).Bytes > 0;

    /// <summary>Why this cannot be the protocol, by the first bytes of a line; null when it can.</summary>
    protected virtual string? Doubt(Leg from, ReadOnlySpan<byte> start) => null;

    /// <summary>A line begins: all of it without its CR and LF, or its first <see cref="StartBytesMax"/> bytes.</summary>
    protected abstract FrameFate OnLine(Leg from, ReadOnlySpan<byte> line, Verdicts verdicts);

    /// <summary>A line has ended with these bytes, its CR and LF not among them; at most the last <see cref="EndBytesMax"/> of it.</summary>
    protected virtual void OnLineEnd(Leg from, ReadOnlySpan<byte> tail)
    {
    }

    /// <summary>So many bytes of this leg's come next, and are no lines.</summary>
    protected void ExpectBytes(Leg from, long count) => Of(from).Bytes = count;

    /// <inheritdoc/>
    protected sealed override FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start)
    {
        ref Side side = ref Of(from);
        if (side.Bytes > 0) return FrameMeasure.Of(side.Bytes);
        if (!side.IsInLine && Doubt(from, start) is { } why) return FrameMeasure.Doubtful(why);
        int end = start.IndexOf((byte)'\n');
        if (end >= 0) return end < HeldBytesMax ? FrameMeasure.Whole(end + 1) : FrameMeasure.Of(end + 1);
        return side.IsInLine || start.Length >= StartBytesMax ? FrameMeasure.Of(start.Length) : FrameMeasure.NeedsMore;
    }

    /// <inheritdoc/>
    protected sealed override FrameFate OnFrame(Leg from, ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        ref Side side = ref Of(from);
        if (side.Bytes > 0)
        {
            side.Bytes = 0; // their rest is counted already
            return FrameFate.Pass;
        }

        bool isEnd = frame[^1] == '\n';
        ReadOnlySpan<byte> text = isEnd ? frame[..^1] : frame;
        if (!side.IsInLine) side.Fate = OnLine(from, Trim(text)[..Math.Min(Trim(text).Length, StartBytesMax)], verdicts);
        if (side.Fate == FrameFate.Hold) return FrameFate.Hold;
        bool isLong = side.IsInLine || !isEnd;
        if (isLong) Keep(ref side, text);
        side.IsInLine = !isEnd;
        if (isEnd && side.Fate == FrameFate.Pass && !IsPlain) OnLineEnd(from, Last(Trim(isLong ? side.End : text)));
        if (isEnd) side.End = null;
        return side.Fate;
    }

    // A line may end in LF alone.
    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text is [.., (byte)'\r'] ? text[..^1] : text;

    private static ReadOnlySpan<byte> Last(ReadOnlySpan<byte> text) => text[^Math.Min(text.Length, EndBytesMax)..];

    // One more, as the last may be a CR.
    private static void Keep(ref Side side, ReadOnlySpan<byte> text)
    {
        byte[] all = [.. side.End ?? [], .. text[^Math.Min(text.Length, EndBytesMax + 1)..]];
        side.End = all.Length <= EndBytesMax + 1 ? all : all[^(EndBytesMax + 1)..];
    }

    private ref Side Of(Leg leg) => ref leg == Leg.Downstream ? ref _client : ref _server;
}
