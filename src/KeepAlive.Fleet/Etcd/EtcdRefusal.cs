using System.Globalization;
using System.Text;
using System.Text.Json;

namespace KeepAlive.Fleet.Etcd;

/// <summary>What a refusal of the gateway means. By its text (etcd's <c>rpctypes</c>), which is finer than its code and the same since 3.1.</summary>
internal static class EtcdRefusal
{
    private const int TextMax = 200;

    private const string NoQuorum = "its cluster has no leader: are most of its members up, and do they reach each other?";

    /// <summary>What is wrong if what comes is no JSON of etcd's.</summary>
    public const string NotEtcd = "what answers is not etcd's JSON API: is it the client port of an etcd 3.4 or later?";

    /// <summary>An answer with a status that is no success.</summary>
    /// <param name="status">HTTP's.</param>
    /// <param name="body">Whatever came.</param>
    /// <param name="user">Who asked; null: nobody.</param>
    /// <param name="isQuotable">Whether what it says may be told: not where it could echo a password.</param>
    public static EtcdCallException Of(int status, ReadOnlySpan<byte> body, string? user, bool isQuotable = true)
    {
        (string? text, int code) = Read(body);
        if (text is not null && Known(text, user) is { } known) return known;
        string quoted = !isQuotable || text is null ? "" : $": {Clean(text)}";
        string number = status.ToString(CultureInfo.InvariantCulture);
        if (text is null && body.IndexOf("HTTP request to an HTTPS server"u8) >= 0)
            return new EtcdCallException(EtcdFault.NotEtcd, CallOutcome.NotDone, "TLS is spoken there: write https:// in place of http://");
        // A page of its own, of embed/serve.go: neither JSON nor gRPC.
        if (text is null && body.IndexOf("CommonName of client"u8) >= 0)
            return new EtcdCallException(EtcdFault.Certificate, CallOutcome.Refused, "it has users, and then takes by its JSON gateway no client certificate that has a CommonName: issue ours without one (-subj /O=keepalive)");
        return (status, code) switch
        {
            (413, _) => TooLarge(),
            (404, _) when text is null => new EtcdCallException(EtcdFault.NotEtcd, CallOutcome.NotDone,
                "no JSON API of etcd v3 is there (404): is it the client port of an etcd 3.4 or later, with its JSON gateway on (--enable-grpc-gateway=true)?"),
            (_, 7 or 16) or (401 or 403, _) => new EtcdCallException(EtcdFault.Denied, CallOutcome.Refused, $"it refuses ({number}){quoted}: look at the user and its roles"),
            (_, 14) when text?.StartsWith("etcdserver", StringComparison.Ordinal) == false => Unreached(),
            (_, 14) or ( >= 500, _) => new EtcdCallException(EtcdFault.Unreachable, CallOutcome.Unknown, $"it cannot now ({number}){quoted}"),
            (_, 4) => new EtcdCallException(EtcdFault.NoLeader, CallOutcome.Unknown, NoQuorum),
            ( < 400, _) => new EtcdCallException(EtcdFault.NotEtcd, CallOutcome.NotDone, $"it sends us elsewhere ({number}), which etcd does not: give etcd's own address"),
            _ => new EtcdCallException(EtcdFault.NotEtcd, text is null ? CallOutcome.NotDone : CallOutcome.Refused, $"it answers {number}{quoted}{(text is null ? $": {NotEtcd}" : "")}"),
        };
    }

    /// <summary>A line of a stream that says why it ends; one that says nothing known is a break.</summary>
    public static EtcdCallException OfStream(string? text, string? user) => text is { Length: > 0 }
        ? Known(text, user) ?? new EtcdCallException(EtcdFault.Unreachable, CallOutcome.Unknown, $"it ended: {Clean(text)}")
        : new EtcdCallException(EtcdFault.Unreachable, CallOutcome.Unknown, "it ended without a reason");

    /// <summary>What an <c>error</c> says, in any of the gateway's forms; null where it says nothing.</summary>
    public static string? TextOf(JsonElement? error) => error switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { ValueKind: JsonValueKind.Object } one when one.TryGetProperty("message", out JsonElement message) && message.ValueKind == JsonValueKind.String => message.GetString(),
        _ => null,
    };

    /// <summary>Text from the wire, fit for one line.</summary>
    public static string Clean(string text)
    {
        var clean = new StringBuilder();
        foreach (char c in text.Take(TextMax)) clean.Append(char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? ' ' : c);
        return clean.ToString().Trim() + (text.Length > TextMax ? "..." : "");
    }

    private static (string? Text, int Code) Read(ReadOnlySpan<byte> body)
    {
        try
        {
            ErrorAnswer? answer = JsonSerializer.Deserialize(body, EtcdJson.Default.ErrorAnswer);
            JsonElement? code = answer?.Code;
            if (code is null && answer?.Error is { ValueKind: JsonValueKind.Object } error)
                code = error.TryGetProperty("grpc_code", out JsonElement old) ? old : error.TryGetProperty("code", out JsonElement now) ? now : null;
            return (TextOf(answer?.Error) ?? TextOf(answer?.Message), code is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out int value) ? value : 0);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return (null, 0); // the second: a string that is no UTF-8
        }
    }

    private static EtcdCallException? Known(string text, string? user)
    {
        string who = user is null ? "a client without a user" : $"user '{user}'";
        return text switch
        {
            _ when Has("revision has been compacted") => new EtcdCallException(EtcdFault.Compacted, CallOutcome.Refused, "the revision asked for is compacted away: read anew"),
            _ when Has("requested lease not found") => new EtcdCallException(EtcdFault.LeaseGone, CallOutcome.Refused, "the lease is gone: take another"),
            _ when Has("database space exceeded") => new EtcdCallException(EtcdFault.NoSpace, CallOutcome.Refused,
                "its database is full: compact and defragment it, then take the alarm away ('etcdctl compact', 'etcdctl defrag', 'etcdctl alarm disarm')"),
            _ when Has("request is too large") || Has("message larger than max") || Has("too many operations in txn") => TooLarge(),
            _ when Has("invalid user ID or password") => Denied($"{who} and this password do not go together: give the right ones"),
            _ when Has("user name is empty") => Denied("it has authentication: give a user and a password"),
            _ when Has("permission denied") => Denied($"{who} may not do this: grant a role of it what is wanted ('etcdctl role grant-permission ROLE readwrite --prefix PREFIX')"),
            _ when Has("authentication is not enabled") => Denied($"it has no authentication, so there is no {who}: leave the user out, or have it enabled ('etcdctl auth enable')"),
            _ when Has("invalid auth token") || Has("revision in header is old") || Has("revision of auth store is old") =>
                new EtcdCallException(EtcdFault.Denied, CallOutcome.TokenInvalid, user is null ? "it has authentication: give a user and a password" : $"it does not take the login of {who} that it has just given: do all its members have one --auth-token?"),
            // Said before anything is proposed to the others.
            _ when Has("no leader") || Has("raft proposal dropped") => new EtcdCallException(EtcdFault.NoLeader, CallOutcome.NotDone, NoQuorum),
            _ when Has("too many requests") => new EtcdCallException(EtcdFault.Unreachable, CallOutcome.NotDone, "it has too much to do: try again later"),
            _ when Has("request timed out") || Has("leader changed") || Has("not leader") || Has("deadline exceeded") || Has("unhealthy cluster") =>
                new EtcdCallException(EtcdFault.NoLeader, CallOutcome.Unknown, NoQuorum),
            // gRPC's words, not etcd's: which of them depends on what the gateway was doing just then.
            _ when Has("connection closed") || Has("transport is closing") || Has("connection error") || Has("SubConns") => Unreached(),
            _ when Has("server stopped") => new EtcdCallException(EtcdFault.Unreachable, CallOutcome.Unknown, "it is being stopped"),
            _ => null,
        };

        bool Has(string part) => text.Contains(part, StringComparison.Ordinal);
    }

    private static EtcdCallException Denied(string why) => new(EtcdFault.Denied, CallOutcome.Refused, why);

    // The gateway is a client of its own etcd, and shows the server's certificate there.
    private static EtcdCallException Unreached() => new(EtcdFault.Unreachable, CallOutcome.Unknown,
        "its JSON gateway does not reach its own etcd: it is stopping, or, if that lasts and clients need certificates, its --cert-file is not good for clients too (clientAuth among its extended key usages)");

    private static EtcdCallException TooLarge() => new(EtcdFault.TooLarge, CallOutcome.Refused,
        "that is more than it takes at once: write less, or raise its --max-request-bytes (1.5 MiB unless changed) or --max-txn-ops (128)");
}
