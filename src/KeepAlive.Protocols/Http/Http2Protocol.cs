using System.Buffers.Binary;
using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Http;

/// <summary>HTTP/2 in clear text (RFC 9113, "prior knowledge") with PINGs of ours, from the second half of the client's preface on.</summary>
/// <remarks>
/// <para>
/// A PING is answered with its own eight bytes, which are ours and of this flow. None goes between HEADERS and its CONTINUATIONs
/// (section 6.10), and none before the leg's own SETTINGS, which must come first (section 3.4).
/// </para>
/// <para>
/// gRPC's servers count a PING sooner than <see cref="HttpOptions.PingEveryDefault"/> after the last, or with no stream open, as a
/// strike: two are let pass. So servers are pinged no oftener, and twice a connection, when one stays unanswered, at once
/// again. Clients count nothing.
/// </para>
/// </remarks>
internal sealed class Http2Protocol : FramedProtocol
{
    private const int StreamsMax = 10_000;
    private const int StrikesMax = 2;
    private const int EnhanceYourCalm = 0xB;

    private static readonly byte[] RestOfPreface = "SM\r\n\r\n"u8.ToArray();

    // Of those the client has opened: which end has ended it, a bit each.
    private readonly Dictionary<int, int> _streams = [];
    private readonly Http2Manners _manners;
    private readonly ulong _nonce;
    private readonly Side _client = new();
    private readonly Side _server = new();
    private TimeSpan _every;
    private int _strikes;
    private bool _isBegun;
    private bool _isUnwelcome;

    // One leg's peer.
    private sealed class Side
    {
        public bool HasSettings { get; set; }

        public bool IsInHeaders { get; set; }

        // A field, as it is a mutable struct: pings of ours to it.
        public ProbeNumbers Numbers;
    }

    /// <summary>A connection whose client has said <c>PRI * HTTP/2.0</c> and an empty line.</summary>
    /// <param name="manners">Of the server, shared by its flows.</param>
    /// <param name="now">The time.</param>
    /// <param name="seed">For the bytes of our PINGs.</param>
    public Http2Protocol(Http2Manners manners, Instant now, uint seed)
        : base(now) => (_manners, _every, _nonce) = (manners, manners.PingEvery, (ulong)((seed * 2654435761) | 1) << 32);

    /// <inheritdoc/>
    public override bool CanProbe(Leg towards) => true;

    /// <inheritdoc/>
    protected override bool IsInMessage(Leg from) => Of(from).IsInHeaders;

    /// <inheritdoc/>
    protected override FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start)
    {
        if (from == Leg.Upstream || _isBegun) return Http2Frame.Measure(start);
        ReadOnlySpan<byte> begin = start[..Math.Min(start.Length, RestOfPreface.Length)];
        return RestOfPreface.AsSpan().StartsWith(begin) ? FrameMeasure.Whole(RestOfPreface.Length) : FrameMeasure.Doubtful("not HTTP/2: not understood");
    }

    /// <inheritdoc/>
    protected override FrameFate OnFrame(Leg from, ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        if (from == Leg.Downstream && !_isBegun)
        {
            _isBegun = true;
            return FrameFate.Pass;
        }

        var read = new Http2Frame(frame);
        switch (read.Kind)
        {
            case Http2Kind.Data:
                OnStream(from, read, verdicts);
                break;
            case Http2Kind.Headers:
                Of(from).IsInHeaders = !read.IsEndOfHeaders;
                OnStream(from, read, verdicts);
                break;
            case Http2Kind.PushPromise or Http2Kind.Continuation:
                Of(from).IsInHeaders = !read.IsEndOfHeaders;
                break;
            case Http2Kind.ResetStream:
                _streams.Remove(read.Stream);
                break;
            case Http2Kind.Settings:
                Of(from).HasSettings = true;
                break;
            case Http2Kind.Ping when read.HasFlag1:
                return OnPong(from, read, verdicts);
            case Http2Kind.GoAway when from == Leg.Upstream:
                OnGoAway(read.Payload, verdicts);
                break;
        }

        return FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards)
    {
        // What a leg hears first is its peer's SETTINGS.
        if (!Of(towards.Other()).HasSettings) return "HTTP/2 has not begun";
        if (towards == Leg.Downstream) return null;
        if (_isUnwelcome) return "the server wants no pings";
        if (_streams.Count == 0 && !_manners.PingWithoutStreams) return "no stream is open";
        if (!IsTooSoon) return null;
        return _server.Numbers.IsOpen && _strikes < StrikesMax ? null : $"servers are pinged once in {Duration.Format(_every)} (--http2-ping-every)";
    }

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        Side side = Of(towards);
        if (towards == Leg.Upstream)
        {
            if (IsTooSoon) _strikes++;
            _every = _manners.PingEvery;
        }

        verdicts.Send(towards, Http2Frame.Ping(_nonce | side.Numbers.Next(Now)));
        return new ProbeAttempt(ProbeOutcome.Sent, "PING");
    }

    private void OnStream(Leg from, Http2Frame frame, Verdicts verdicts)
    {
        int stream = frame.Stream;
        if (stream % 2 == 0) return; // the server's own: pushed
        bool isKnown = _streams.TryGetValue(stream, out int ended);
        if (!isKnown && (from == Leg.Upstream || frame.Kind != Http2Kind.Headers)) return; // reset meanwhile
        if (frame.HasFlag1) ended |= from == Leg.Downstream ? 1 : 2;
        if (ended == 3) _streams.Remove(stream);
        else _streams[stream] = ended;
        if (_streams.Count > StreamsMax) Surrender($"over {StreamsMax} streams are open: not understood any more", verdicts);
    }

    private FrameFate OnPong(Leg from, Http2Frame frame, Verdicts verdicts)
    {
        ulong payload = BinaryPrimitives.ReadUInt64BigEndian(frame.Payload);
        if (payload - (uint)payload != _nonce || !Of(from).Numbers.IsAnswered((uint)payload, Now, out TimeSpan? took)) return FrameFate.Pass;
        if (took is not null) verdicts.Note(FlowEventKind.ProbeAnswered, "PING ACK", from, took);
        return FrameFate.Swallow;
    }

    // Last stream, error code, and words for people.
    private void OnGoAway(ReadOnlySpan<byte> payload, Verdicts verdicts)
    {
        if (payload.Length < 8 || BinaryPrimitives.ReadUInt32BigEndian(payload[4..]) != EnhanceYourCalm || !payload[8..].SequenceEqual("too_many_pings"u8) || _server.Numbers.Sent == 0) return;
        _isUnwelcome = true;
        _manners.OnTooOften(_every);
        verdicts.Note(FlowEventKind.Notice, $"the server ends for too many pings: from now on once in {Duration.Format(_manners.PingEvery)}", Leg.Upstream);
    }

    private bool IsTooSoon => _server.Numbers.Sent > 0 && _server.Numbers.Age(Now) < _every;

    private Side Of(Leg leg) => leg == Leg.Downstream ? _client : _server;
}
