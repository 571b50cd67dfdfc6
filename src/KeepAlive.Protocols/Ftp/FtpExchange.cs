using KeepAlive.Core;

namespace KeepAlive.Protocols.Ftp;

/// <summary>Whose command it is.</summary>
internal enum FtpOwner : byte
{
    /// <summary>The client's: its reply goes on.</summary>
    Client,

    /// <summary>Ours: its reply is swallowed.</summary>
    Ours,

    /// <summary>The client's, never sent: the gateway answers it when its turn comes.</summary>
    Refused,
}

/// <summary>A command whose final reply has not come.</summary>
internal struct FtpPending
{
    public FtpOwner Owner;
    public FtpVerb Verb;

    /// <summary>A 1xx came: the transfer runs.</summary>
    public bool Started;

    /// <summary>Ours, sent while a transfer ran.</summary>
    public bool InTransfer;

    /// <summary>And that transfer was an upload.</summary>
    public bool InUpload;
    public Instant SentAt;

    /// <summary>The TYPE that takes effect on success, or the reply the gateway owes (<see cref="FtpOwner.Refused"/>).</summary>
    public byte[]? Text;

    /// <summary>Whether it opens a data connection and has a 1xx before its end.</summary>
    public readonly bool IsTransfer => Verb is FtpVerb.Fetch or FtpVerb.Store;

    /// <summary>Whether a final reply of this code can be the answer to this command of ours.</summary>
    public readonly bool Accepts(int code) => code is >= 400 and <= 599 || Verb switch
    {
        FtpVerb.Noop => code is 200 or 202,
        FtpVerb.Type => code == 200,
        FtpVerb.Pwd => code == 257,
        FtpVerb.Stat => code is 211 or 212 or 213,
        FtpVerb.Rest => code == 350,
        FtpVerb.Cwd => code is 200 or 250,
        FtpVerb.Pasv => code == 227,
        FtpVerb.Epsv => code == 229,
        FtpVerb.Fetch => code is 226 or 250,
        _ => false,
    };
}

/// <summary>
/// The commands that await replies, oldest first, and the rule that finds a reply's command. Replies carry no
/// number: order decides, except while a transfer runs, where servers differ in whether they answer other
/// commands before its end or after it.
/// </summary>
internal sealed class FtpExchange
{
    /// <summary>More commands in the air than any client pipelines; beyond it nothing is understood any more.</summary>
    public const int PendingMax = 512;

    /// <summary>Index of a reply that answers nothing we know of.</summary>
    public const int Unsolicited = -1;

    private readonly List<FtpPending> _pending = new(4);

    public int Count => _pending.Count;

    public bool IsFull => _pending.Count >= PendingMax;

    /// <summary>A transfer of the client's is running: its 1xx came, its end has not.</summary>
    public bool TransferRuns => _pending is [{ IsTransfer: true, Started: true, Owner: FtpOwner.Client }, ..];

    /// <summary>It goes to the server.</summary>
    public bool UploadRuns => TransferRuns && _pending[0].Verb == FtpVerb.Store;

    public int CountOf(FtpOwner owner)
    {
        int n = 0;
        foreach (FtpPending p in _pending)
            if (p.Owner == owner) n++;
        return n;
    }

    public void Add(FtpPending pending) => _pending.Add(pending);

    public FtpPending this[int index] => _pending[index];

    public FtpPending TakeAt(int index)
    {
        FtpPending taken = _pending[index];
        _pending.RemoveAt(index);
        return taken;
    }

    public void MarkStarted(int index) => _pending[index] = _pending[index] with { Started = true };

    /// <summary>
    /// Which pending command a reply of this code answers. Commands that the code shows to have been passed over
    /// (filtered on the way, or answered in a way nobody could foresee) are dropped: <paramref name="passedOver"/> is the first of ours among them.
    /// </summary>
    public int Match(int code, bool dataOpen, out FtpPending? passedOver)
    {
        passedOver = null;
        if (_pending.Count == 0 || code == 421) return Unsolicited;
        if (TransferRuns && code >= 200)
            return _pending.Count > 1 && !EndsTransfer(code, dataOpen) ? MatchFrom(1, code, out passedOver) : 0;
        return MatchFrom(0, code, out passedOver);
    }

    private int MatchFrom(int first, int code, out FtpPending? passedOver)
    {
        passedOver = null;
        FtpPending head = _pending[first];
        if (head.Owner == FtpOwner.Client)
        {
            DropPassedOver(first, code);
            return first;
        }

        if (code < 200) return head.IsTransfer ? first : Unsolicited;
        for (int i = first; i < _pending.Count && _pending[i].Owner == FtpOwner.Ours; i++)
        {
            if (!_pending[i].Accepts(code)) continue;
            if (i > first) passedOver = _pending[first];
            _pending.RemoveRange(first, i - first);
            return first;
        }

        // Not an answer to ours: some servers send a second 226 after a transfer.
        return Unsolicited;
    }

    // Client commands that got no reply of their own (an ABOR that was folded into the transfer's end, a blank
    // line) are noticed when a reply comes that only a later command can have.
    private void DropPassedOver(int first, int code)
    {
        FtpPending head = _pending[first];
        if (head.Verb == FtpVerb.Abor && _pending.Count > first + 1 && code is >= 200 and < 500 and not (225 or 226 or 426))
        {
            _pending.RemoveAt(first);
            return;
        }

        if (head.Verb == FtpVerb.Greeting || !IsOnlyFor(code, out Predicate<FtpPending> asker) || asker(head)) return;
        int at = first;
        while (at < _pending.Count && _pending[at].Owner == FtpOwner.Client && !asker(_pending[at])) at++;
        if (at < _pending.Count && _pending[at].Owner == FtpOwner.Client) _pending.RemoveRange(first, at - first);
    }

    // Codes that answer one kind of command alone.
    private static bool IsOnlyFor(int code, out Predicate<FtpPending> asker)
    {
        asker = code switch
        {
            < 200 => static p => p.IsTransfer,
            227 => static p => p.Verb == FtpVerb.Pasv,
            229 => static p => p.Verb == FtpVerb.Epsv,
            _ => null!,
        };
        return asker is not null;
    }

    // RFC 959 5.4: what may end a transfer after its 1xx. A conforming server never ends one with 200, and rejects a
    // transfer command with 500 or 502 instead of the 1xx, not after it. 450, 530, 550 and their like are said both
    // of a command that came at a bad time and of a transfer that failed; a failed transfer has closed its data
    // connection first.
    private static bool EndsTransfer(int code, bool dataOpen) => code switch
    {
        226 or 250 or 425 or 426 or 451 or 452 or 551 or 552 => true,
        200 or 202 or 500 or 501 or 502 or 503 or 504 or 211 or 212 or 213 or 215 or 257 => false,
        _ => !dataOpen,
    };
}
