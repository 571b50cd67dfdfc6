using System.Buffers.Binary;
using System.Text;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Callers;

/// <summary>
/// Opens an AMQP 0-9-1 connection (specification section 2.2.4) by PLAIN, as guest where nobody is named, with its sign of life switched
/// off. Such signs are not answered, so that acknowledgments by the kernel are all that proves life from there.
/// </summary>
internal sealed class AmqpCaller(CallDetails call) : FrameCaller
{
    private const byte MethodFrame = 1;
    private const byte FrameEnd = 0xCE;
    private const int HeadBytes = 7;

    private const uint Start = (10 << 16) | 10;
    private const uint StartOk = (10 << 16) | 11;
    private const uint Tune = (10 << 16) | 30;
    private const uint TuneOk = (10 << 16) | 31;
    private const uint OpenUp = (10 << 16) | 40;
    private const uint OpenOk = (10 << 16) | 41;
    private const uint Close = (10 << 16) | 50;

    private static readonly byte[] Header = [.. "AMQP"u8, 0, 0, 9, 1];

    /// <inheritdoc/>
    public override ProofOfLife Proof => ProofOfLife.Kernel;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye => Method(Close, [0, 200, 0, 0, 0, 0, 0]);

    /// <inheritdoc/>
    public override void Begin() => Say(Header);

    /// <inheritdoc/>
    protected override FrameMeasure Measure(ReadOnlySpan<byte> start)
    {
        if (start[0] == 'A') return FrameMeasure.Doubtful("the server does not take AMQP 0-9-1");
        if (start[0] is not (1 or 2 or 3 or 8)) return FrameMeasure.Doubtful("what came is not AMQP");
        return start.Length < HeadBytes ? FrameMeasure.NeedsMore : FrameMeasure.Of(HeadBytes + 1 + (long)BinaryPrimitives.ReadUInt32BigEndian(start[3..]));
    }

    /// <inheritdoc/>
    protected override void OnFrame(ReadOnlySpan<byte> frame)
    {
        const int MethodBytes = 4;
        if (State != CallState.Opening || frame[0] != MethodFrame || frame.Length < HeadBytes + MethodBytes + 1) return;
        ReadOnlySpan<byte> arguments = frame[(HeadBytes + MethodBytes)..^1];
        switch (BinaryPrimitives.ReadUInt32BigEndian(frame[HeadBytes..]))
        {
            case Start:
                // No properties; mechanism, response, language.
                Say(Method(StartOk, [0, 0, 0, 0, .. Short("PLAIN"), .. Long($"\0{call.User ?? "guest"}\0{(call.User is null ? "guest" : call.Password)}"), .. Short("en_US")]));
                break;
            case Tune when arguments.Length >= 8:
                // Channels and frames as it wants them, no sign of life; then a virtual host.
                Say(Method(TuneOk, [.. arguments[..6], 0, 0]));
                Say(Method(OpenUp, [.. Short(call.Path.Length > 0 ? call.Path : "/"), 0, 0]));
                break;
            case OpenOk:
                Open();
                break;
            case Close when arguments.Length >= 3 && arguments.Length >= 3 + arguments[2]:
                Refuse(Text(arguments.Slice(3, arguments[2])));
                break;
        }
    }

    private static byte[] Method(uint method, ReadOnlySpan<byte> arguments)
    {
        byte[] frame = [MethodFrame, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. arguments, FrameEnd];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(3), 4 + arguments.Length);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(HeadBytes), method);
        return frame;
    }

    private static byte[] Short(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return [(byte)bytes.Length, .. bytes.AsSpan(0, Math.Min(bytes.Length, byte.MaxValue))];
    }

    private static byte[] Long(string text)
    {
        byte[] bytes = [0, 0, 0, 0, .. Encoding.UTF8.GetBytes(text)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, bytes.Length - 4);
        return bytes;
    }
}
