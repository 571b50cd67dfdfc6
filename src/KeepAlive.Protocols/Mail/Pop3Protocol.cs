using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Mail;

/// <summary>POP3 (RFC 1939) with a NOOP of ours once the client is logged in.</summary>
internal sealed class Pop3Protocol : DialogProtocol
{
    /// <summary>Servers keep the silent for ten minutes at least (RFC 1939 section 3).</summary>
    public static readonly TimeSpan IdleAgeDefault = TimeSpan.FromMinutes(10);

    private bool _isLoggedIn;

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    /// <param name="idleAgeMax">How long after the client's last line an idle session is probed; <see cref="IdleAgeDefault"/> unless given.</param>
    public Pop3Protocol(Instant now, TimeSpan? idleAgeMax = null)
        : base("NOOP", now, idleAgeMax ?? IdleAgeDefault)
    {
    }

    /// <inheritdoc/>
    protected override string? WhyNotNow => _isLoggedIn ? null : "before login";

    /// <inheritdoc/>
    protected override bool IsGreeting(ReadOnlySpan<byte> line) => IsGood(line);

    /// <inheritdoc/>
    protected override bool IsAnswer(ReadOnlySpan<byte> line) => IsGood(line);

    /// <inheritdoc/>
    protected override ReplyForm FormOf(DialogCommand command, ReadOnlySpan<byte> line) =>
        line is [(byte)'+'] or [(byte)'+', (byte)' ', ..] ? command.Verb == "AUTH" ? ReplyForm.Challenge : ReplyForm.Unknown
        : line.StartsWith("-ERR"u8) ? ReplyForm.Last
        : !IsGood(line) ? ReplyForm.Unknown
        : HasList(command) ? ReplyForm.List
        : ReplyForm.Last;

    /// <inheritdoc/>
    protected override void OnCommand(DialogCommand command, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        // What a reply looks like depends on the command (section 3): one that is not known cannot be followed.
        if (command.Verb is not ("USER" or "PASS" or "APOP" or "AUTH" or "STAT" or "LIST" or "RETR" or "DELE" or "NOOP" or "RSET" or "QUIT" or "TOP" or "UIDL" or "CAPA" or "STLS" or "UTF8" or "LANG"))
            Surrender("a command that is not known: not understood any more", verdicts);
        if (command.Verb == "QUIT") End();
    }

    /// <inheritdoc/>
    protected override void OnReply(DialogCommand command, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        if (!IsGood(line)) return;
        _isLoggedIn |= command.Verb is "PASS" or "APOP" || command is { Verb: "AUTH", HasArgument: true };
        if (command.Verb == "STLS") Surrender("STLS: encrypted from here, kernel keepalive only", verdicts);
    }

    private static bool HasList(DialogCommand command) =>
        command.Verb is "RETR" or "TOP" or "CAPA" || (command.Verb is "LIST" or "UIDL" or "AUTH" or "LANG" && !command.HasArgument);

    private static bool IsGood(ReadOnlySpan<byte> line) => line.StartsWith("+OK"u8);
}
