using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace KeepAlive.Fleet.Etcd;

/// <summary>What etcd says, of which nothing is believed but its meaning: what is not as it has to be is a <see cref="EtcdCallException"/>.</summary>
internal static class EtcdAnswers
{
    /// <exception cref="EtcdCallException">It is no such message.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw NotEtcd();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw NotEtcd(e); // the last two: strings that are no UTF-8, or no base64
        }
    }

    /// <exception cref="EtcdCallException">It is no such message.</exception>
    public static EtcdRange Range(ReadOnlySpan<byte> json)
    {
        RangeAnswer answer = Read(json, EtcdJson.Default.RangeAnswer);
        return new EtcdRange(Revision(answer.Header), [.. (answer.Kvs ?? []).Select(Entry)], answer.Count);
    }

    /// <exception cref="EtcdCallException">It is no such message.</exception>
    public static EtcdCommit Commit(ReadOnlySpan<byte> json)
    {
        TxnAnswer answer = Read(json, EtcdJson.Default.TxnAnswer);
        return new EtcdCommit(answer.Succeeded, Revision(answer.Header));
    }

    /// <exception cref="EtcdCallException">It is no such message.</exception>
    public static long Granted(ReadOnlySpan<byte> json) => Read(json, EtcdJson.Default.LeaseAnswer) is { Id: not 0, Ttl: > 0 } lease ? lease.Id : throw NotEtcd();

    /// <summary>Whether a lease lives: of one that is gone etcd says what it is, and no time.</summary>
    /// <exception cref="EtcdCallException">It is no such message, or the lease is gone.</exception>
    public static bool Renewed(ReadOnlySpan<byte> json, string? user)
    {
        StreamLine<LeaseAnswer> line = Read(json, EtcdJson.Default.LeaseLine);
        if (line.Error is { } error) throw EtcdRefusal.OfStream(Text(error), user);
        if (line.Result is not { Id: not 0 } lease) throw NotEtcd();
        return lease.Ttl > 0 ? true : throw new EtcdCallException(EtcdFault.LeaseGone, CallOutcome.Refused, "the lease is gone: take another");
    }

    public static EtcdEntry Entry(KeyValue? kv) => new(Key(kv), kv!.Value ?? [], kv.CreateRevision, kv.ModRevision, kv.Lease);

    public static string Key(KeyValue? kv) => kv?.Key is { Length: > 0 } key ? Encoding.UTF8.GetString(key) : throw NotEtcd();

    /// <summary>Every store has one, from 1 on.</summary>
    public static long Revision(Header? header) => header is { Revision: > 0 } some ? some.Revision : throw NotEtcd();

    /// <summary>What a stream's error says.</summary>
    public static string? Text(JsonElement error)
    {
        try
        {
            return EtcdRefusal.TextOf(error);
        }
        catch (InvalidOperationException)
        {
            return null; // no UTF-8
        }
    }

    /// <summary>It may be anybody: nobody knows what became of a write.</summary>
    public static EtcdCallException NotEtcd(Exception? inner = null) => new(EtcdFault.NotEtcd, CallOutcome.Unknown, EtcdRefusal.NotEtcd, inner);
}
