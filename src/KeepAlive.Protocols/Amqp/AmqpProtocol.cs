using System.Buffers.Binary;
using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Amqp;

/// <summary>AMQP 0-9-1 and 1.0 with its own signs of life from us to either end, once the connection is open.</summary>
/// <remarks>
/// A frame of kind 8 (<c>heartbeat</c>, 0-9-1 section 4.2.7) and an empty one (1.0 section 2.4.5) say that their sender lives, and are not
/// answered: the gateway lets them out only while it does. Who did not agree on any passes over them.
/// </remarks>
internal sealed class AmqpProtocol : FramedProtocol
{
    private const byte FrameEnd = 0xCE;
    private const int HeaderBytes = 8;
    private const byte Tls10 = 2;
    private const byte Sasl10 = 3;

    // connection.open-ok and connection.close (class 10), the open and close performatives.
    private const uint OpenOk091 = (10 << 16) | 41;
    private const uint Close091 = (10 << 16) | 50;
    private const byte Open10 = 0x10;
    private const byte Close10 = 0x18;

    private static readonly byte[] Heartbeat091 = [8, 0, 0, 0, 0, 0, 0, FrameEnd];
    private static readonly byte[] Empty10 = [0, 0, 0, 8, 2, 0, 0, 0];

    private Version _version;
    private bool _clientHasOpened;
    private bool _serverHasOpened;
    private bool _isClosing;

    private enum Version : byte
    {
        Unknown,
        V091,
        V10,
    }

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    public AmqpProtocol(Instant now)
        : base(now)
    {
    }

    /// <inheritdoc/>
    public override bool CanProbe(Leg towards) => true;

    /// <inheritdoc/>
    protected override FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start)
    {
        //  4        1        3                               "AMQP", protocol, version: 0 0 9 1, or 0|2|3 1 0 0
        // +--------+--------+---------+
        //  1      2         4         size      1
        // +------+---------+--------+---------+------+
        // | kind | channel | size   | payload | 0xCE |      0-9-1 section 2.3.5
        // +------+---------+--------+---------+------+
        //  4      1               1      2         size - 8
        // +------+---------------+------+---------+---------+
        // | size | data offset   | kind | channel | body    |   1.0 section 2.3.1, the size with itself
        // +------+---------------+------+---------+---------+
        if (start[0] == 'A') return start.Length < HeaderBytes ? FrameMeasure.NeedsMore : start.StartsWith("AMQP"u8) ? FrameMeasure.Whole(HeaderBytes) : Strange;
        if (_version == Version.Unknown) return FrameMeasure.Doubtful(start[0] == Tls.Handshake ? Tls.Why : "not AMQP: not understood");
        if (_version == Version.V091)
        {
            if (start[0] is not (1 or 2 or 3 or 8)) return Strange;
            if (start.Length < HeaderBytes) return FrameMeasure.NeedsMore;
            return Frame(8 + (long)BinaryPrimitives.ReadUInt32BigEndian(start[3..]), isOfInterest: start[0] == 1, start.Length);
        }

        if (start.Length < HeaderBytes) return FrameMeasure.NeedsMore;
        uint size = BinaryPrimitives.ReadUInt32BigEndian(start);
        return size < HeaderBytes || start[4] < 2 || 4 * start[4] > size ? Strange : Frame(size, isOfInterest: size > HeaderBytes, start.Length);
    }

    /// <inheritdoc/>
    protected override FrameFate OnFrame(Leg from, ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        if (frame[0] == 'A') OnHeader(from, frame, verdicts);
        else if (_version == Version.V091) OnFrame091(frame);
        else OnFrame10(from, frame);
        return FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards) => !_serverHasOpened || !_clientHasOpened ? "the connection is not open yet" : _isClosing ? "the connection is closing" : null;

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        verdicts.Send(towards, _version == Version.V091 ? Heartbeat091 : Empty10);
        return new ProbeAttempt(ProbeOutcome.Refreshed, _version == Version.V091 ? "heartbeat" : "empty frame");
    }

    private static FrameMeasure Strange => FrameMeasure.Doubtful("not a frame of AMQP's: not understood any more");

    // As much of it as tells what it is: its first 24 bytes.
    private static FrameMeasure Frame(long bytes, bool isOfInterest, int there)
    {
        const int EnoughBytes = 24;
        return isOfInterest && bytes <= EnoughBytes ? FrameMeasure.Whole(bytes) : isOfInterest && there < EnoughBytes ? FrameMeasure.NeedsMore : FrameMeasure.Of(bytes);
    }

    private void OnHeader(Leg from, ReadOnlySpan<byte> header, Verdicts verdicts)
    {
        // The server answers 1.0 with the same, and refuses either with what it would rather have.
        Version version = header[4..] is [0, 0, 9, 1] ? Version.V091 : header[5..] is [1, 0, 0] && header[4] is 0 or Sasl10 ? Version.V10 : Version.Unknown;
        if (header[4..] is [Tls10, 1, 0, 0]) Surrender("TLS: encrypted, kernel keepalive only", verdicts);
        else if (version == Version.Unknown || (from == Leg.Upstream && version != _version)) Surrender("a version of AMQP that is not known, or refused", verdicts);
        else _version = version;
    }

    private void OnFrame091(ReadOnlySpan<byte> frame)
    {
        if (frame[0] != 1 || frame.Length < 11) return;
        uint method = BinaryPrimitives.ReadUInt32BigEndian(frame[7..]);
        if (method == OpenOk091) (_clientHasOpened, _serverHasOpened) = (true, true);
        _isClosing |= method == Close091;
    }

    // A performative is a described type: 0, how its code is written, its code.
    private void OnFrame10(Leg from, ReadOnlySpan<byte> frame)
    {
        int body = 4 * frame[4];
        if (frame[5] != 0 || frame.Length < body + 3 || frame[body] != 0) return;
        byte code = frame[body + 1] == 0x53 ? frame[body + 2] : frame[body + 1] == 0x80 && frame.Length >= body + 10 ? frame[body + 9] : (byte)0;
        if (code == Open10 && from == Leg.Downstream) _clientHasOpened = true;
        if (code == Open10 && from == Leg.Upstream) _serverHasOpened = true;
        _isClosing |= code == Close10;
    }
}
