using KeepAlive.Protocols.Framing;
using KeepAlive.Protocols.Http;

namespace KeepAlive.Protocols.Callers;

/// <summary>Opens HTTP/2 (RFC 9113 section 3.4) without asking for anything, and answers the server's SETTINGS and PINGs.</summary>
internal sealed class Http2Caller : FrameCaller
{
    private const int FlagsAt = 4;
    private const byte Answers = 1;

    private static readonly byte[] Settings = [0, 0, 0, (byte)Http2Kind.Settings, 0, 0, 0, 0, 0];

    /// <inheritdoc/>
    public override void Begin() => Say([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Settings]);

    /// <inheritdoc/>
    protected override FrameMeasure Measure(ReadOnlySpan<byte> start) => Http2Frame.Measure(start);

    /// <inheritdoc/>
    protected override void OnFrame(ReadOnlySpan<byte> frame)
    {
        var read = new Http2Frame(frame);
        if (State == CallState.Opening && read.Kind != Http2Kind.Settings)
        {
            Surrender("what came is not HTTP/2");
        }
        else if (read.Kind == Http2Kind.Settings && !read.HasFlag1)
        {
            byte[] answer = [.. Settings];
            answer[FlagsAt] = Answers;
            Say(answer);
            Open();
        }
        else if (read.Kind == Http2Kind.Ping && !read.HasFlag1)
        {
            byte[] answer = frame.ToArray();
            answer[FlagsAt] = Answers;
            Say(answer);
        }
    }
}
