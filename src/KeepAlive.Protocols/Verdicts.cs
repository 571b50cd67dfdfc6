using System.Buffers;
using KeepAlive.Core;

namespace KeepAlive.Protocols;

/// <summary>What a protocol has to say about a flow, beside its bytes.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Text">One line for a person.</param>
/// <param name="Leg">The leg concerned, if one.</param>
/// <param name="Took">A duration that belongs to it, if any.</param>
internal readonly record struct Note(FlowEventKind Kind, string Text, Leg? Leg, TimeSpan? Took);

/// <summary>
/// What a protocol decided: bytes for each leg, in order, and notes. The relay carries them out and clears it.
/// </summary>
internal sealed class Verdicts
{
    private readonly ArrayBufferWriter<byte> _toDownstream = new();
    private readonly ArrayBufferWriter<byte> _toUpstream = new();
    private readonly List<Note> _notes = [];

    /// <summary>
    /// How many of the bytes for a leg, counted from the first, end in a byte that the peer sent as TCP urgent
    /// data and must leave as such (Telnet Synch, RFC 854); 0 for none.
    /// </summary>
    public int UrgentUpTo { get; private set; }

    /// <summary>Everything said beside bytes, in order.</summary>
    public IReadOnlyList<Note> Notes => _notes;

    /// <summary>The bytes for a leg so far.</summary>
    public ReadOnlySpan<byte> BytesFor(Leg leg) => Buffer(leg).WrittenSpan;

    /// <summary>Bytes for a leg: its peer's, passing through, or our own.</summary>
    public void Send(Leg to, ReadOnlySpan<byte> bytes) => Buffer(to).Write(bytes);

    /// <summary>Bytes for the upstream leg whose last one is TCP urgent data.</summary>
    public void SendUrgentUpstream(ReadOnlySpan<byte> bytes)
    {
        _toUpstream.Write(bytes);
        UrgentUpTo = _toUpstream.WrittenCount;
    }

    /// <summary>Something to tell people.</summary>
    public void Note(FlowEventKind kind, string text, Leg? leg = null, TimeSpan? took = null) =>
        _notes.Add(new Note(kind, text, leg, took));

    /// <summary>Everything has been carried out.</summary>
    public void Clear()
    {
        _toDownstream.ResetWrittenCount();
        _toUpstream.ResetWrittenCount();
        _notes.Clear();
        UrgentUpTo = 0;
    }

    private ArrayBufferWriter<byte> Buffer(Leg leg) => leg == Leg.Downstream ? _toDownstream : _toUpstream;
}
