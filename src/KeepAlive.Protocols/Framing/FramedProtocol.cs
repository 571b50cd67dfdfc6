using KeepAlive.Core;

namespace KeepAlive.Protocols.Framing;

/// <summary>
/// A protocol whose two directions are frames that tell their own length. It knows where one ends and the next begins, and
/// passes on what is not of interest as it comes.
/// </summary>
/// <remarks>
/// <code>
/// bytes ─▶ Measure: how long, and is it wanted whole? ─▶ OnFrame: pass, swallow, hold ─▶ the rest of it, in pieces
///            └ not known yet: held, a few bytes
/// </code>
/// </remarks>
internal abstract class FramedProtocol : Protocol
{
    /// <summary>The most that is held of a frame for want of its length, or to see it whole.</summary>
    public const int HeldBytesMax = 4096;

    private readonly TimeSpan _idleAgeMax;
    private FrameReader _fromDownstream;
    private FrameReader _fromUpstream;
    private Instant _holdUntil = Instant.Never;
    private Instant _lastRequest;

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    /// <param name="idleAgeMax">How long after the client's last message an idle session is probed; without end unless given.</param>
    protected FramedProtocol(Instant now, TimeSpan? idleAgeMax = null) => (_lastRequest, _idleAgeMax) = (now, idleAgeMax ?? TimeSpan.MaxValue);

    /// <inheritdoc/>
    public override bool IsHolding(Leg from) => from == Leg.Downstream && _holdUntil != Instant.Never;

    /// <inheritdoc/>
    public override Instant Deadline => _holdUntil;

    /// <summary>A leg has sent its FIN.</summary>
    protected bool IsEnding { get; private set; }

    /// <summary>When what just happened, happened.</summary>
    protected Instant Now { get; private set; }

    /// <summary>When the last probe went out; <see cref="Instant.Zero"/> before the first.</summary>
    protected Instant ProbedAt { get; private set; }

    /// <summary>Bytes held back now, of both directions.</summary>
    internal int HeldBytes => _fromDownstream.Held.Length + _fromUpstream.Held.Length;

    /// <inheritdoc/>
    public override void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        Now = now;
        Read(from, bytes, verdicts);
    }

    /// <inheritdoc/>
    public override void OnEnded(Leg from, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        IsEnding = true;
        if (from == Leg.Downstream) _holdUntil = Instant.Never;
        Flush(from, verdicts);
    }

    /// <inheritdoc/>
    public override void OnDeadline(Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        Now = now;
        if (now < _holdUntil) return;
        _holdUntil = Instant.Never;
        Read(Leg.Downstream, default, verdicts);
    }

    /// <inheritdoc/>
    public override ProbeAttempt TryProbe(Leg towards, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        Now = now;
        if (IsPlain) return Withheld("plain relay");
        if (IsEnding) return Withheld("the session is ending");
        if (IsHolding(Leg.Downstream)) return Withheld("a message of the client's waits");
        if (!Reader(towards.Other()).IsBetween || IsInMessage(towards.Other())) return Withheld("in the middle of a message");
        if (WhyNot(towards) is { } why) return Withheld(why);
        if (now - _lastRequest > _idleAgeMax) return IdleAge.Past(_idleAgeMax);
        ProbedAt = now;
        return Send(towards, verdicts);
    }

    /// <summary>How long the frame is that begins with these bytes.</summary>
    /// <param name="from">Whose it is.</param>
    /// <param name="start">One byte at least; what follows the frame may be behind it.</param>
    protected abstract FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start);

    /// <summary>A frame has come: as much of it as told its length, and all of it where it is wanted whole.</summary>
    protected abstract FrameFate OnFrame(Leg from, ReadOnlySpan<byte> frame, Verdicts verdicts);

    /// <summary>Whether a message of several frames is under way, and this is between two of them.</summary>
    protected virtual bool IsInMessage(Leg from) => false;

    /// <summary>A frame that was to be passed on has been, to its end.</summary>
    protected virtual void OnPassed(Leg from, Verdicts verdicts)
    {
    }

    /// <summary>Why no probe may go out in this state; null when one may. Both ends are there, and no frame is half-sent.</summary>
    protected abstract string? WhyNot(Leg towards);

    /// <summary>Sends a probe.</summary>
    protected abstract ProbeAttempt Send(Leg towards, Verdicts verdicts);

    /// <summary>A frame of the client's that is told <see cref="FrameFate.Hold"/> waits until then.</summary>
    protected void HoldUntil(Instant until) => _holdUntil = until;

    /// <summary>Not understood any more: a plain relay from here, with all that was held.</summary>
    protected void Surrender(string why, Verdicts verdicts)
    {
        BecomePlain(why, verdicts);
        _holdUntil = Instant.Never;
        Flush(Leg.Downstream, verdicts);
        Flush(Leg.Upstream, verdicts);
    }

    private static ProbeAttempt Withheld(string why) => new(ProbeOutcome.Withheld, why);

    private void Read(Leg from, ReadOnlySpan<byte> bytes, Verdicts verdicts)
    {
        ref FrameReader reader = ref Reader(from);
        while (!IsPlain)
        {
            if (reader.Left > 0)
            {
                ReadOnlySpan<byte> piece = bytes[..(int)Math.Min(reader.Left, bytes.Length)];
                if (!reader.IsSwallowing) verdicts.Send(from.Other(), piece);
                bytes = bytes[piece.Length..];
                reader.Left -= piece.Length;
                if (reader.Left > 0) return;
                End(ref reader, from, verdicts);
                continue;
            }

            bytes = reader.Join(bytes);
            if (bytes.IsEmpty) return;
            if (IsHolding(from) || !TryStart(ref reader, from, ref bytes, verdicts))
            {
                reader.Hold(bytes);
                if (IsPlain) Flush(from, verdicts);
                return;
            }
        }

        verdicts.Send(from.Other(), bytes);
    }

    // False when these bytes are to be kept: they tell too little, or wait.
    private bool TryStart(ref FrameReader reader, Leg from, ref ReadOnlySpan<byte> bytes, Verdicts verdicts)
    {
        FrameMeasure measure = Measure(from, bytes);
        bool isShort = measure.Bytes == 0 || (measure.IsWhole && bytes.Length < measure.Bytes);
        string? doubt = measure.Doubt ?? (isShort && Math.Max(measure.Bytes, bytes.Length) > HeldBytesMax ? "a message whose start is too long: not understood any more" : null);
        if (doubt is not null) Surrender(doubt, verdicts);
        if (doubt is not null || isShort) return false;
        ReadOnlySpan<byte> frame = bytes[..(int)Math.Min(measure.Bytes, bytes.Length)];
        if (from == Leg.Downstream) _lastRequest = Now;
        FrameFate fate = OnFrame(from, frame, verdicts);
        if (fate == FrameFate.Hold || IsPlain) return false;
        if (fate == FrameFate.Pass) verdicts.Send(from.Other(), frame);
        (reader.Left, reader.IsSwallowing) = (measure.Bytes - frame.Length, fate == FrameFate.Swallow);
        bytes = bytes[frame.Length..];
        if (reader.Left == 0) End(ref reader, from, verdicts);
        return true;
    }

    private void End(ref FrameReader reader, Leg from, Verdicts verdicts)
    {
        bool isPassed = !reader.IsSwallowing;
        reader.IsSwallowing = false;
        if (isPassed) OnPassed(from, verdicts);
    }

    private void Flush(Leg from, Verdicts verdicts)
    {
        ref FrameReader reader = ref Reader(from);
        verdicts.Send(from.Other(), reader.Join(default));
        reader.Left = 0;
    }

    private ref FrameReader Reader(Leg from) => ref from == Leg.Downstream ? ref _fromDownstream : ref _fromUpstream;
}
