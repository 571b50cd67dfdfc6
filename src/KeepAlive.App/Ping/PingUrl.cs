using System.Diagnostics.CodeAnalysis;
using KeepAlive.Sockets;

namespace KeepAlive.App.Ping;

/// <summary>Whom to ping: <c>scheme://[user@]host[:port][/path]</c>.</summary>
internal sealed record PingUrl
{
    public required PingScheme Scheme { get; init; }

    public required HostPort To { get; init; }

    /// <summary>Null for nobody.</summary>
    public string? User { get; init; }

    public string Path { get; init; } = "";

    /// <summary>The host as HTTP wants to be told it: with the port where it is not the scheme's own.</summary>
    public string Host => To.Port == Scheme.Port && To.ToString() is var text ? text[..text.LastIndexOf(':')] : $"{To}";

    /// <summary>Reads it. No fault repeats the text: there may be a password in it.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out PingUrl? url, [NotNullWhen(false)] out string? fault)
    {
        url = null;
        string names = string.Join(", ", PingScheme.All.Select(s => s.Name));
        int colon = text.IndexOf("://", StringComparison.Ordinal);
        if (colon < 0)
        {
            fault = $"the URL has no scheme: write SCHEME://HOST, the scheme one of {names}";
            return false;
        }

        string name = text[..colon];
        PingScheme? scheme = PingScheme.All.FirstOrDefault(s => s.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (scheme is null) fault = $"the scheme '{Texts.Printable(name)}' is not known: give one of {names}";
        else if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri.Host.Length == 0) fault = $"what follows {scheme.Name}:// is not understood: write [USER@]HOST[:PORT], an IPv6 address in brackets, other characters of a user's name as %XX";
        else fault = Read(scheme, uri, out url);
        return fault is null && url is not null;
    }

    private static string? Read(PingScheme scheme, Uri uri, out PingUrl? url)
    {
        url = null;
        string[] login = uri.UserInfo.Split(':', 2);
        if (login is [_, { Length: > 0 }])
            return $"a password in the URL is in the list of processes for everybody to see: leave it out, and give it in {Password.Variable} or when asked on a terminal";
        if (uri.Port <= 0 && scheme.Port == 0) return $"{scheme.Name}:// has no port of its own: write {scheme.Name}://HOST:PORT";
        string path = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/'));
        if (scheme.Path == PathUse.None && (path.Length > 0 || uri.Query.Length > 0)) return $"{scheme.Name}:// has no use for a path: write {scheme.Name}://[USER@]HOST[:PORT]";
        if (scheme.Path == PathUse.Name && uri.Query.Length > 0) return $"{scheme.Name}:// has no use for a query: write {scheme.Name}://[USER@]HOST[:PORT][/NAME]";
        string user = Uri.UnescapeDataString(login[0]);
        if (user.Any(char.IsControl) || (scheme.Path == PathUse.Name && path.Any(char.IsControl))) return "a control character stands in the URL: take it out";
        try
        {
            url = new PingUrl
            {
                Scheme = scheme,
                To = new HostPort(uri.DnsSafeHost, uri.Port > 0 ? uri.Port : scheme.Port),
                User = user.Length > 0 ? user : null,
                Path = scheme.Path == PathUse.Whole ? uri.PathAndQuery : path,
            };
            return null;
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }
}
