using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Mail;

/// <summary>NNTP (RFC 3977), which has no NOOP, with a DATE of ours between the client's commands.</summary>
internal sealed class NntpProtocol : DialogProtocol
{
    /// <summary>Servers keep the silent for three minutes at least (RFC 3977 section 3.1).</summary>
    public static readonly TimeSpan IdleAgeDefault = TimeSpan.FromMinutes(3);

    private const int Closing = 400;
    private const int Date = 111;

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    /// <param name="idleAgeMax">How long after the client's last line an idle session is probed; <see cref="IdleAgeDefault"/> unless given.</param>
    public NntpProtocol(Instant now, TimeSpan? idleAgeMax = null)
        : base("DATE", now, idleAgeMax ?? IdleAgeDefault)
    {
    }

    /// <inheritdoc/>
    protected override string? WhyNotNow => null;

    /// <inheritdoc/>
    protected override bool IsGreeting(ReadOnlySpan<byte> line) => ReplyCode.Read(line, out _) is 200 or 201;

    /// <inheritdoc/>
    protected override bool IsAnswer(ReadOnlySpan<byte> line) => ReplyCode.Read(line, out _) == Date;

    /// <inheritdoc/>
    protected override ReplyForm FormOf(DialogCommand command, ReadOnlySpan<byte> line) => (ReplyCode.Read(line, out bool isMore), command.Verb) switch
    {
        (0, _) => ReplyForm.Unknown,
        (_, _) when isMore => ReplyForm.Unknown,
        (Closing, _) => ReplyForm.Unasked,
        (335, "IHAVE") or (340, "POST") => ReplyForm.GoAhead,
        (383, "AUTHINFO") => ReplyForm.Challenge, // RFC 4643
        (211, "LISTGROUP") => ReplyForm.List, // of GROUP's it is one line (RFC 3977 section 6.1.2)
        (100 or 101 or 215 or 220 or 221 or 222 or 224 or 225 or 230 or 231 or 282, not "") => ReplyForm.List, // section 3.2, RFC 2980 section 2.8
        _ => ReplyForm.Last,
    };

    /// <inheritdoc/>
    protected override void OnCommand(DialogCommand command, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        if (command.Verb == "TAKETHIS") ExpectText(); // RFC 4644: it follows at once
        if (command.Verb == "QUIT") End();
    }

    /// <inheritdoc/>
    protected override void OnReply(DialogCommand command, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        int code = ReplyCode.Read(line, out _);
        if ((code, command.Verb) is (382, "STARTTLS") or (206, "COMPRESS") or (290, "XFEATURE")) Surrender($"{command.Verb}: nothing can be read from here, kernel keepalive only", verdicts);
    }
}
