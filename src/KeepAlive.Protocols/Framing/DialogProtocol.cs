using System.Text;
using KeepAlive.Core;

namespace KeepAlive.Protocols.Framing;

/// <summary>A command of a dialog.</summary>
/// <param name="Verb">In capitals; ours is empty.</param>
/// <param name="HasArgument">Whether anything follows it.</param>
internal readonly record struct DialogCommand(string Verb, bool HasArgument)
{
    /// <summary>It was put in by us.</summary>
    public bool IsOurs => Verb is "";
}

/// <summary>What a line of a server's is.</summary>
internal enum ReplyForm
{
    /// <summary>All that there is of a reply, or its last line.</summary>
    Last,

    /// <summary>More lines of the same reply follow.</summary>
    More,

    /// <summary>Lines follow up to one that is a dot.</summary>
    List,

    /// <summary>The client's next line is no command.</summary>
    Challenge,

    /// <summary>The client's next lines are no commands, up to one that is a dot.</summary>
    GoAhead,

    /// <summary>It answers nothing: the server is about to leave.</summary>
    Unasked,

    /// <summary>None of these.</summary>
    Unknown,
}

/// <summary>
/// A protocol of command lines that are answered one by one, in order (SMTP, POP3, NNTP). A command of ours goes when nothing is open:
/// the next reply is its, whatever the client says meanwhile.
/// </summary>
internal abstract class DialogProtocol : LineProtocol
{
    private const int OpenMax = 100;

    private readonly Queue<DialogCommand> _open = new();
    private readonly string _command;
    private Mode _mode;
    private bool _isGreeted;
    private bool _isInReply;
    private bool _isInList;
    private bool _isEnding;
    private bool _isRefused;

    /// <summary>A new connection.</summary>
    /// <param name="command">What we say.</param>
    /// <param name="now">The time.</param>
    /// <param name="idleAgeMax">How long after the client's last line an idle session is probed.</param>
    private protected DialogProtocol(string command, Instant now, TimeSpan idleAgeMax)
        : base(now, idleAgeMax) => _command = command;

    // What the client's lines are.
    private enum Mode : byte
    {
        Commands,
        Response,
        Text,
    }

    /// <inheritdoc/>
    protected override bool IsInMessage(Leg from) => from == Leg.Downstream ? _mode != Mode.Commands || base.IsInMessage(from) : _isInReply || _isInList || base.IsInMessage(from);

    /// <inheritdoc/>
    protected override string? Doubt(Leg from, ReadOnlySpan<byte> start) =>
        _isGreeted ? null : from == Leg.Upstream ? null : start[0] == Tls.Handshake ? Tls.Why : "the client speaks before the server: not understood";

    /// <inheritdoc/>
    protected sealed override FrameFate OnLine(Leg from, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        if (from == Leg.Upstream) return OnServerLine(line, verdicts);
        if (_mode == Mode.Commands) OnCommandLine(line, verdicts);
        else if (_mode == Mode.Response || line is [(byte)'.']) _mode = Mode.Commands;
        return FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected sealed override string? WhyNot(Leg towards) =>
        !_isGreeted ? "before the server's greeting"
        : _isEnding ? "the session is ending"
        : _isRefused ? $"the server does not take {_command}"
        : _open.Any(c => !c.IsOurs) ? "a command is unanswered"
        : WhyNotNow;

    /// <inheritdoc/>
    protected sealed override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        _open.Enqueue(new DialogCommand("", HasArgument: false));
        verdicts.Send(towards, Encoding.ASCII.GetBytes(_command + "\r\n"));
        OnSent();
        return new ProbeAttempt(ProbeOutcome.Sent, _command);
    }

    /// <summary>Why none may go in this state of the protocol's own.</summary>
    protected abstract string? WhyNotNow { get; }

    /// <summary>Whether this line greets a new client.</summary>
    protected abstract bool IsGreeting(ReadOnlySpan<byte> line);

    /// <summary>A command of the client's.</summary>
    protected abstract void OnCommand(DialogCommand command, ReadOnlySpan<byte> line, Verdicts verdicts);

    /// <summary>What a reply's line is, or one that comes with nothing open, where the command is ours.</summary>
    protected abstract ReplyForm FormOf(DialogCommand command, ReadOnlySpan<byte> line);

    /// <summary>A command of the client's was answered: by this line, the last but for a list.</summary>
    protected abstract void OnReply(DialogCommand command, ReadOnlySpan<byte> line, Verdicts verdicts);

    /// <summary>Whether a reply is the one that ours gets where it is understood.</summary>
    protected abstract bool IsAnswer(ReadOnlySpan<byte> line);

    /// <summary>One of ours has gone out.</summary>
    protected virtual void OnSent()
    {
    }

    /// <summary>The client's next lines are no commands, up to one that is a dot.</summary>
    protected void ExpectText() => _mode = Mode.Text;

    /// <summary>Nothing is sent any more.</summary>
    protected void End() => _isEnding = true;

    private void OnCommandLine(ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        int space = line.IndexOf((byte)' ');
        string verb = Encoding.ASCII.GetString(space < 0 ? line : line[..space]).ToUpperInvariant();
        var command = new DialogCommand(verb, space >= 0 && !line[space..].Trim((byte)' ').IsEmpty);
        if (verb.Length == 0 || _open.Count >= OpenMax)
        {
            Surrender("a command that is none, or one of too many: not understood any more", verdicts);
            return;
        }

        _open.Enqueue(command);
        OnCommand(command, line, verdicts);
    }

    private FrameFate OnServerLine(ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        bool isOurs = _open.TryPeek(out DialogCommand command) && command.IsOurs;
        FrameFate fate = isOurs ? FrameFate.Swallow : FrameFate.Pass;
        if (_isInList)
        {
            _isInList = line is not [(byte)'.'];
            if (!_isInList) _open.Dequeue();
            return fate;
        }

        ReplyForm form = FormOf(command, line);
        if (form == ReplyForm.Unknown)
        {
            Surrender("a reply that is none: not understood any more", verdicts);
            return FrameFate.Pass;
        }

        _isInReply = form == ReplyForm.More;
        if (form == ReplyForm.Unasked || (form == ReplyForm.Last && _open.Count == 0))
        {
            if (!_isGreeted && IsGreeting(line)) _isGreeted = true;
            else End();
            return FrameFate.Pass;
        }

        if (_open.Count == 0) return FrameFate.Pass; // the first lines of a greeting
        if (form is ReplyForm.Last or ReplyForm.List) Answered(form, command, line, verdicts);
        else if (form is ReplyForm.Challenge or ReplyForm.GoAhead && !isOurs) _mode = form == ReplyForm.Challenge ? Mode.Response : Mode.Text;
        return fate;
    }

    private void Answered(ReplyForm form, DialogCommand command, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        _isInList = form == ReplyForm.List;
        if (!_isInList) _open.Dequeue();
        if (_mode == Mode.Response) _mode = Mode.Commands;
        if (!command.IsOurs)
        {
            OnReply(command, line, verdicts);
            return;
        }

        _isRefused |= !IsAnswer(line);
        verdicts.Note(FlowEventKind.ProbeAnswered, _command, Leg.Upstream, Now - ProbedAt);
    }
}
