using System.Globalization;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Imap;

/// <summary>IMAP (RFC 3501, RFC 9051) with a NOOP of ours to the server, and <c>* OK Still here</c> to the client.</summary>
/// <remarks>
/// <para>
/// With a mailbox selected a NOOP lets the server renumber its messages, and the client, which asked nothing, must not be told
/// (RFC 9051 section 7.5.1); with IDLE open the client's side may say nothing but DONE (RFC 2177). So NOOP goes only between login and
/// SELECT, with nothing of the client's open. Its tag is ours and of this flow.
/// </para>
/// <para>An untagged OK may come at any time, is what Dovecot sends to idle clients itself, and is not answered.</para>
/// </remarks>
internal sealed class ImapProtocol : LineProtocol
{
    /// <summary>Servers keep the silent for half an hour at least (RFC 9051 section 5.4).</summary>
    public static readonly TimeSpan IdleAgeDefault = TimeSpan.FromMinutes(30);

    private const int OpenMax = 100;

    // The client's commands that are not answered, by tag.
    private readonly Dictionary<string, string> _open = [];
    private readonly string _tag;
    private State _state = State.Greeting;
    private string? _dialog;
    private long? _literal;
    private bool _clientContinues;
    private bool _serverContinues;
    private bool _mayHoldLiteral;
    private ProbeNumbers _ours;

    private enum State : byte
    {
        Greeting,
        NotLoggedIn,
        LoggedIn,
        Selected,
        Ending,
    }

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    /// <param name="seed">For our tags.</param>
    /// <param name="idleAgeMax">How long after the client's last command an idle session is probed; <see cref="IdleAgeDefault"/> unless given.</param>
    public ImapProtocol(Instant now, uint seed, TimeSpan? idleAgeMax = null)
        : base(now, idleAgeMax ?? IdleAgeDefault) => _tag = string.Create(CultureInfo.InvariantCulture, $"KA{seed:X8}");

    /// <inheritdoc/>
    public override bool CanProbe(Leg towards) => true;

    /// <inheritdoc/>
    protected override bool IsInMessage(Leg from) => (from == Leg.Downstream ? _clientContinues : _serverContinues) || base.IsInMessage(from);

    /// <inheritdoc/>
    protected override string? Doubt(Leg from, ReadOnlySpan<byte> start) =>
        _state == State.Greeting && start[0] != '*' ? (start[0] == Tls.Handshake ? Tls.Why : "not IMAP: not understood")
        : from == Leg.Downstream && _literal is not null ? "a literal that nobody asked for: not understood any more"
        : null;

    /// <inheritdoc/>
    protected override FrameFate OnLine(Leg from, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        _mayHoldLiteral = true;
        if (from == Leg.Downstream)
        {
            if (!_clientContinues) OnCommand(line, verdicts);
            _clientContinues = false;
            return FrameFate.Pass;
        }

        bool isWithin = _serverContinues;
        _serverContinues = false;
        return isWithin ? FrameFate.Pass : OnResponse(line, verdicts);
    }

    /// <inheritdoc/>
    protected override void OnLineEnd(Leg from, ReadOnlySpan<byte> tail)
    {
        if (!_mayHoldLiteral || ImapLine.Literal(tail, out bool isAtOnce) is not { } bytes) return;
        if (from == Leg.Downstream && !isAtOnce)
        {
            _literal = bytes;
            return;
        }

        ExpectBytes(from, bytes);
        if (from == Leg.Downstream) _clientContinues = true;
        else _serverContinues = true;
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards)
    {
        if (_state is State.Greeting or State.NotLoggedIn) return "before login";
        if (_state == State.Ending) return "the session is ending";
        if (towards == Leg.Downstream) return null;
        return _dialog == "IDLE" ? "the client idles: it may say nothing but DONE"
            : _open.Count > 0 ? "a command is unanswered"
            : _state == State.Selected ? "a mailbox is selected"
            : null;
    }

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        if (towards == Leg.Downstream)
        {
            verdicts.Send(towards, "* OK Still here\r\n"u8);
            return new ProbeAttempt(ProbeOutcome.Refreshed, "* OK Still here");
        }

        verdicts.Send(towards, Encoding.ASCII.GetBytes($"{Tag(_ours.Next(Now))} NOOP\r\n"));
        return new ProbeAttempt(ProbeOutcome.Sent, "NOOP");
    }

    private void OnCommand(ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        if (_dialog is not null)
        {
            // DONE, or a line of a login that takes several.
            _mayHoldLiteral = false;
            if (_dialog == "IDLE") _dialog = null;
            return;
        }

        (string tag, string word) = ImapLine.Read(line);
        if (tag.Length == 0 || word.Length == 0 || _open.Count >= OpenMax || !_open.TryAdd(tag, word)) Surrender("a command that is none, or one of too many: not understood any more", verdicts);
        else if (word is "IDLE" or "AUTHENTICATE") _dialog = word;
    }

    private FrameFate OnResponse(ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        (string tag, string word) = ImapLine.Read(line);
        _mayHoldLiteral = tag == "*" && word is not ("OK" or "NO" or "BAD" or "BYE" or "PREAUTH");
        if (tag == "+")
        {
            if (_literal is not { } bytes) return FrameFate.Pass;
            (_literal, _clientContinues) = (null, true);
            ExpectBytes(Leg.Downstream, bytes);
        }
        else if (tag == "*")
        {
            if (word == "BYE") _state = State.Ending;
            else if (_state == State.Greeting) _state = word == "PREAUTH" ? State.LoggedIn : State.NotLoggedIn;
        }
        else if (IsOurs(tag, verdicts))
        {
            return FrameFate.Swallow;
        }
        else if (_open.Remove(tag, out string? command))
        {
            _literal = null; // refused instead of asked for
            if (_dialog == command) _dialog = null;
            OnAnswered(command, word == "OK", verdicts);
        }
        else
        {
            Surrender("an answer to nothing: not understood any more", verdicts);
        }

        return FrameFate.Pass;
    }

    private void OnAnswered(string command, bool isDone, Verdicts verdicts)
    {
        if (_state == State.Ending) return;
        _state = (command, isDone) switch
        {
            ("LOGIN" or "AUTHENTICATE", true) => State.LoggedIn,
            ("SELECT" or "EXAMINE", true) => State.Selected,
            ("SELECT" or "EXAMINE", false) => State.LoggedIn, // the one before is left all the same (RFC 9051 section 6.3.2)
            ("CLOSE" or "UNSELECT", true) => State.LoggedIn,
            ("UNAUTHENTICATE", true) => State.NotLoggedIn,
            ("LOGOUT", _) => State.Ending,
            _ => _state,
        };
        if (isDone && command is "STARTTLS" or "COMPRESS") Surrender($"{command}: nothing can be read from here, kernel keepalive only", verdicts);
    }

    private bool IsOurs(string tag, Verdicts verdicts)
    {
        if (!tag.StartsWith(_tag, StringComparison.Ordinal) || !uint.TryParse(tag.AsSpan(_tag.Length), NumberStyles.None, CultureInfo.InvariantCulture, out uint number)) return false;
        if (!_ours.IsAnswered(number, Now, out TimeSpan? took)) return false;
        if (took is not null) verdicts.Note(FlowEventKind.ProbeAnswered, "OK", Leg.Upstream, took);
        return true;
    }

    private string Tag(uint number) => string.Create(CultureInfo.InvariantCulture, $"{_tag}{number:D4}");
}
