using System.Buffers.Text;
using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Mail;

/// <summary>SMTP (RFC 5321) with a NOOP of ours between two mails.</summary>
/// <remarks>
/// Servers take NOOPs for abuse: Exim ends a session with its eleventh command that is about no mail (smtp_accept_max_nonmail), sendmail
/// slows down after twenty NOOPs (MaxNOOPCommands), Postfix counts them as junk, of which a hundred are let pass
/// (smtpd_junk_command_limit). So there are <see cref="NoopsDefault"/> a session, and <see cref="NoopsMax"/> where its operator asks
/// for more; such commands of the client's own are among them.
/// </remarks>
internal sealed class SmtpProtocol : DialogProtocol
{
    /// <summary>Servers wait for a command for five minutes at least (RFC 5321 section 4.5.3.2.7).</summary>
    public static readonly TimeSpan IdleAgeDefault = TimeSpan.FromMinutes(5);

    /// <summary>NOOPs a session, so that Exim leaves the client some commands of its own.</summary>
    public const int NoopsDefault = 6;

    /// <summary>NOOPs a session that is held by name.</summary>
    public const int NoopsMax = 19;

    private const int Closing = 421;
    private const int GoOn = 354;
    private const int Challenge = 334;

    private readonly int _noopsMax;
    private bool _isKnown;
    private bool _isInMail;
    private bool _isLastPart;
    private int _noops;

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    /// <param name="idleAgeMax">How long after the client's last line an idle session is probed, where asked for; <see cref="IdleAgeDefault"/> otherwise.</param>
    public SmtpProtocol(Instant now, TimeSpan? idleAgeMax = null)
        : base("NOOP", now, idleAgeMax ?? IdleAgeDefault) => _noopsMax = idleAgeMax is null ? NoopsDefault : NoopsMax;

    /// <inheritdoc/>
    protected override string? WhyNotNow =>
        !_isKnown ? "before EHLO" : _isInMail ? "a mail is under way" : _noops >= _noopsMax ? $"{_noopsMax} NOOPs were sent: servers take more for abuse" : null;

    /// <inheritdoc/>
    protected override bool IsGreeting(ReadOnlySpan<byte> line) => ReplyCode.Read(line, out _) == 220;

    /// <inheritdoc/>
    protected override bool IsAnswer(ReadOnlySpan<byte> line) => ReplyCode.Read(line, out _) == 250;

    /// <inheritdoc/>
    protected override void OnSent() => _noops++;

    /// <inheritdoc/>
    protected override ReplyForm FormOf(DialogCommand command, ReadOnlySpan<byte> line) => (ReplyCode.Read(line, out bool isMore), command.Verb) switch
    {
        (0, _) => ReplyForm.Unknown,
        (_, _) when isMore => ReplyForm.More,
        (Closing, _) => ReplyForm.Unasked,
        (GoOn, "DATA") => ReplyForm.GoAhead,
        (Challenge, not "") => ReplyForm.Challenge, // AUTH, and what others call it
        _ => ReplyForm.Last,
    };

    /// <inheritdoc/>
    protected override void OnCommand(DialogCommand command, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        switch (command.Verb)
        {
            case "NOOP" or "RSET" or "VRFY" or "EXPN" or "HELP":
                _noops++;
                break;
            case "MAIL":
                _isInMail = true;
                break;
            case "BDAT" when Utf8Parser.TryParse(line[4..].TrimStart((byte)' '), out long bytes, out _) && bytes >= 0:
                ExpectBytes(Leg.Downstream, bytes); // RFC 3030: they follow at once
                _isLastPart = line.TrimEnd((byte)' ') is [.., (byte)'L' or (byte)'l', (byte)'A' or (byte)'a', (byte)'S' or (byte)'s', (byte)'T' or (byte)'t'];
                break;
            case "BDAT" or "LHLO" or "TURN":
                Surrender($"{command.Verb}: not understood any more", verdicts);
                break;
            case "QUIT":
                End();
                break;
        }
    }

    /// <inheritdoc/>
    protected override void OnReply(DialogCommand command, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        bool isDone = line[0] == '2';
        switch (command.Verb)
        {
            case "EHLO" or "HELO":
                _isKnown |= isDone;
                _isInMail &= !isDone;
                break;
            case "MAIL":
                _isInMail = isDone;
                break;
            case "RSET" or "DATA":
                _isInMail = false;
                break;
            case "BDAT":
                _isInMail = !_isLastPart;
                break;
            case "XCLIENT" when isDone:
                _isKnown = false; // all begins again
                break;
            case "STARTTLS" or "ATRN" when isDone:
                Surrender($"{command.Verb}: nothing can be read from here, kernel keepalive only", verdicts);
                break;
        }
    }
}
