using System.Text;

namespace KeepAlive.Fleet.Etcd;

/// <summary>What is asked, as etcd wants it.</summary>
internal static class EtcdRequests
{
    public static RangeRequest Range(EtcdQuery query)
    {
        byte[] key = Encoding.UTF8.GetBytes(query.Key);
        var all = new RangeRequest(key, null)
        {
            Limit = query.Limit > 0 ? query.Limit : null,
            MinModRevision = query.ModifiedSince > 0 ? query.ModifiedSince : null,
            CountOnly = query.IsCount ? true : null,
            SortOrder = query.IsDescending ? "DESCEND" : null,
            SortTarget = query.IsDescending ? "KEY" : null,
        };
        if (!query.IsPrefix) return all;
        (byte[] first, byte[] end) = Prefix(key);
        if (query.After is { } after)
        {
            byte[] last = Encoding.UTF8.GetBytes(after);
            if (query.IsDescending) end = last;
            else first = [.. last, 0];
        }

        return all with { Key = first, RangeEnd = end };
    }

    public static TxnRequest Txn(IReadOnlyList<EtcdCondition> when, IReadOnlyList<EtcdWrite> then) => new(
        [.. when.Select(c => c.Lease is { } lease
            ? new Compare(Encoding.UTF8.GetBytes(c.Key), "LEASE") { Lease = lease }
            : new Compare(Encoding.UTF8.GetBytes(c.Key), "MOD") { ModRevision = c.Modified })],
        [.. then.Select(w => w.Value is { } value
            ? new Operation(new PutRequest(Encoding.UTF8.GetBytes(w.Key), value, w.Lease == 0 ? null : w.Lease), null)
            : new Operation(null, new DeleteRequest(Encoding.UTF8.GetBytes(w.Key))))]);

    public static WatchRequest Watch(string prefix, long from)
    {
        (byte[] first, byte[] end) = Prefix(Encoding.UTF8.GetBytes(prefix));
        return new WatchRequest(new CreateRequest(first, end, from));
    }

    // All that begins so ends before the prefix with its last byte one more; 0xFF, which no UTF-8 has, would carry. A zero alone is the
    // least key there is, and as an end none.
    private static (byte[] First, byte[] End) Prefix(byte[] key)
    {
        if (key.Length == 0) return ([0], [0]);
        byte[] end = [.. key];
        end[^1]++;
        return (key, end);
    }
}
