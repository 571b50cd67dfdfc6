using System.Text.Json;

namespace KeepAlive.Fleet.Etcd;

/// <summary>What the lines of a watch say, one after another. Pure: bytes in, news out.</summary>
internal sealed class EtcdWatch(long from, string? user)
{
    // Of one message in fragments: as much as of any answer.
    private const int FragmentsMax = EtcdTransport.AnswerMax;

    private readonly List<EtcdChange> _changes = [];
    private long _last;
    private long _length;

    /// <summary>Takes a line.</summary>
    /// <returns>What it says; null while a message is not whole.</returns>
    /// <exception cref="EtcdCallException">The watch is over, or it is no line of a watch.</exception>
    public EtcdNews? Take(ReadOnlySpan<byte> line)
    {
        StreamLine<WatchAnswer> read = EtcdAnswers.Read(line, EtcdJson.Default.WatchLine);
        if (read.Error is { ValueKind: not JsonValueKind.Null } error) throw EtcdRefusal.OfStream(EtcdAnswers.Text(error), user);
        if (read.Result is not { } answer) throw EtcdAnswers.NotEtcd();
        if (answer.Canceled) throw Cancelled(answer);
        // The revision of a message with changes is the store's, which a watch that catches up has not reached: that of the changes counts.
        if (answer.Created) return new EtcdNews(from > 0 ? from - 1 : EtcdAnswers.Revision(answer.Header), []);
        if (answer.Events is not { Length: > 0 } events) return _changes.Count == 0 ? new EtcdNews(EtcdAnswers.Revision(answer.Header), []) : throw EtcdAnswers.NotEtcd();
        if ((_length += line.Length) > FragmentsMax) throw EtcdBody.TooLong(FragmentsMax);
        foreach (WatchEvent? one in events)
        {
            _changes.Add(Change(one));
            _last = Math.Max(_last, one!.Kv!.ModRevision);
        }

        if (answer.Fragment) return null;
        var news = new EtcdNews(_last > 0 ? _last : throw EtcdAnswers.NotEtcd(), [.. _changes]);
        _changes.Clear();
        _length = 0;
        return news;
    }

    private static EtcdChange Change(WatchEvent? one) => one?.Type switch
    {
        null or "PUT" => new EtcdChange(EtcdAnswers.Key(one?.Kv), EtcdAnswers.Entry(one?.Kv)),
        "DELETE" => new EtcdChange(EtcdAnswers.Key(one.Kv), null),
        _ => throw EtcdAnswers.NotEtcd(),
    };

    private EtcdCallException Cancelled(WatchAnswer answer)
    {
        if (answer.CompactRevision > 0) return new EtcdCallException(EtcdFault.Compacted, CallOutcome.Refused, $"revision {from} is compacted away: read anew");
        EtcdCallException why = EtcdRefusal.OfStream(answer.CancelReason, user);
        // etcd 3.4 has one word for what a user may not and for a token that it does not know (watch.go, isWatchPermitted).
        return answer.Created && why.Fault == EtcdFault.Denied && user is not null ? new EtcdCallException(why.Fault, CallOutcome.TokenInvalid, why.Message) : why;
    }
}
