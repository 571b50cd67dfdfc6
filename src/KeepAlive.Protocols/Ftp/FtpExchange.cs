namespace KeepAlive.Protocols.Ftp;

/// <summary>Commands of ours that a reply to a later command shows to have stayed unanswered.</summary>
internal readonly record struct FtpPassedOver(int Count, FtpPending First);

/// <summary>
/// The commands that await replies, oldest first, and the rule that finds a reply's command. Replies carry no
/// number: order decides, except while a transfer runs, where servers differ in whether they answer other
/// commands before its end or after it.
/// </summary>
internal sealed class FtpExchange
{
    /// <summary>As many commands in the air as any client pipelines; the next ones wait.</summary>
    public const int PendingMax = 512;

    /// <summary>Index of a reply that answers nothing we know of.</summary>
    public const int Unsolicited = -1;

    private const int ServiceNotAvailable = 421;
    private const int NoTransferInProgress = 225;
    private const int TransferComplete = 226;

    private readonly List<FtpPending> _pending = new(4);

    public int Count => _pending.Count;

    /// <summary>Commands of ours whose answer is owed.</summary>
    public int Owed { get; private set; }

    public bool IsFull => _pending.Count - Owed >= PendingMax;

    /// <summary>A transfer of the client's is running: its 1xx came, its end has not.</summary>
    public bool TransferRuns => _pending is [{ IsTransfer: true, Started: true, Owner: FtpOwner.Client }, ..];

    /// <summary>It goes to the server.</summary>
    public bool UploadRuns => TransferRuns && _pending[0].Verb == FtpVerb.Store;

    /// <summary>A listing of ours is running.</summary>
    public bool ListingRuns => Owed > 0 && _pending.Exists(p => p is { Owner: FtpOwner.Ours, Started: true });

    /// <summary>Commands of the client's that are unanswered, beside a running transfer.</summary>
    public int ClientWaits => _pending.Count - Owed - (TransferRuns ? 1 : 0);

    public FtpPending this[int index] => _pending[index];

    public void Add(FtpPending pending)
    {
        _pending.Add(pending);
        if (pending.Owner == FtpOwner.Ours) Owed++;
    }

    public FtpPending TakeAt(int index)
    {
        FtpPending taken = _pending[index];
        _pending.RemoveAt(index);
        if (taken.Owner == FtpOwner.Ours) Owed--;
        return taken;
    }

    public void MarkStarted(int index) => _pending[index] = _pending[index] with { Started = true };

    /// <summary>Which pending command a reply of this code answers.</summary>
    /// <param name="code">The reply's.</param>
    /// <param name="dataOpen">A data connection is open.</param>
    /// <param name="noopCode">How this server is known to answer NOOP while a transfer runs; 0 when not known.</param>
    /// <param name="passedOver">Commands of ours dropped, because this reply is to a later one.</param>
    public int Match(int code, bool dataOpen, int noopCode, out FtpPassedOver passedOver)
    {
        passedOver = default;
        if (_pending.Count == 0) return Unsolicited;
        if (code == ServiceNotAvailable) return _pending[0].Owner == FtpOwner.Client ? 0 : Unsolicited;
        bool runs = TransferRuns && code >= 200;
        if (runs && code == NoTransferInProgress && _pending.Exists(p => p.Verb == FtpVerb.Abor))
        {
            TakeAt(0); // its end was never told: the answer to ABOR says it is over
            runs = false;
        }

        if (runs && (_pending.Count == 1 || EndsTransfer(code, dataOpen, noopCode))) return 0;
        return MatchFrom(runs ? 1 : 0, code, out passedOver);
    }

    // The first command that can have this reply; those before it were filtered on the way, or are never answered.
    private int MatchFrom(int first, int code, out FtpPassedOver passedOver)
    {
        passedOver = default;
        int next = Unsolicited;
        for (int i = first; i < _pending.Count; i++)
        {
            if (_pending[i].Owner == FtpOwner.Refused) continue;
            if (next == Unsolicited) next = i;

            // Some servers end a transfer twice: a stray 226 never makes a later transfer's.
            if (_pending[i].CanHave(code) && (i == next || code != TransferComplete)) return DropBefore(i, first, out passedOver);
        }

        if (next == Unsolicited || code is < 200 or NoTransferInProgress or TransferComplete) return Unsolicited;

        // An answer nobody could foresee, but there is nothing else it could be to.
        return next;
    }

    private int DropBefore(int index, int first, out FtpPassedOver passedOver)
    {
        passedOver = default;
        for (int i = index - 1; i >= first; i--)
        {
            if (_pending[i].Owner == FtpOwner.Refused || _pending[i].Started) continue;
            FtpPending dropped = TakeAt(i);
            index--;
            if (dropped.Owner != FtpOwner.Ours) continue;
            passedOver = new FtpPassedOver(passedOver.Count + 1, dropped);
        }

        return index;
    }

    // RFC 959 5.4: what may end a transfer after its 1xx. A conforming server never ends one with 200, and rejects a
    // transfer command with 500 or 502 instead of the 1xx, not after it. 450, 530, 550 and their like are said both
    // of a command that came at a bad time and of a transfer that failed; a failed transfer has closed its data
    // connection first. Best is to know how the server answers NOOP.
    private bool EndsTransfer(int code, bool dataOpen, int noopCode)
    {
        if (code is 226 or 250 or 425 or 426 or 451 or 452 or 551 or 552) return true;
        if (code < 400) return false;
        if (noopCode != 0 && _pending[1].Owner == FtpOwner.Ours) return code != noopCode;
        return code is not (>= 500 and <= 504) && !dataOpen;
    }
}
