using System.Security.Cryptography;
using System.Text;

namespace KeepAlive.Protocols.Ssh;

/// <summary>What a known_hosts file says of a server's key.</summary>
internal enum SshHostTrust
{
    /// <summary>It is there.</summary>
    Known,

    /// <summary>None of that host is there which could be compared.</summary>
    Unknown,

    /// <summary>Others of that host are there, and not this one.</summary>
    Changed,

    /// <summary>It is there, as one that must not be used.</summary>
    Revoked,
}

/// <summary>The servers' keys of a known_hosts file, as sshd(8) describes it under SSH_KNOWN_HOSTS FILE FORMAT.</summary>
/// <remarks>
/// <code>
///   host,[host]:port,*.example,!not.example ecdsa-sha2-nistp256 AAAA... comment
///   |1|base64 of a salt|base64 of HMAC-SHA1(salt, host) ssh-rsa AAAA...
///   @revoked * ssh-rsa AAAA...
/// </code>
/// Lines that cannot be read are passed over, as ssh does; so are <c>@cert-authority</c> ones: certificates are not spoken here.
/// </remarks>
internal sealed class SshKnownHosts
{
    private const int PortDefault = 22;
    private const string Revoked = "@revoked";

    private readonly List<Line> _lines = [];

    private sealed record Line(string Hosts, bool IsRevoked, string Kind, SshPublicKey? Key);

    private SshKnownHosts()
    {
    }

    /// <summary>Reads the text of one file or of several, one behind the other.</summary>
    public static SshKnownHosts Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var known = new SshKnownHosts();
        foreach (ReadOnlySpan<char> raw in text.AsSpan().EnumerateLines())
        {
            string[] words = raw.ToString().Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            bool isMarked = words.Length > 0 && words[0][0] == '@';
            if (words.Length == 0 || words[0][0] == '#' || (isMarked && words[0] != Revoked)) continue;
            if (isMarked) words = words[1..];
            if (words.Length < 3) continue;
            known._lines.Add(new Line(words[0], isMarked, words[1], SshPublicKey.TryParse($"{words[1]} {words[2]}", out SshPublicKey? key) ? key : null));
        }

        return known;
    }

    /// <summary>What is known of a server's key.</summary>
    /// <param name="host">The server's name or address, as it was called.</param>
    /// <param name="port">Its port.</param>
    /// <param name="key">The key that it shows.</param>
    public SshHostTrust Judge(string host, int port, SshPublicKey key)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(key);
        Line[] lines = [.. Of(host, port)];
        if (lines.Any(line => line.IsRevoked && key.Equals(line.Key))) return SshHostTrust.Revoked;
        SshPublicKey[] recorded = [.. lines.Where(line => !line.IsRevoked).Select(line => line.Key).OfType<SshPublicKey>()];
        return recorded.Contains(key) ? SshHostTrust.Known : recorded.Length > 0 ? SshHostTrust.Changed : SshHostTrust.Unknown;
    }

    /// <summary>The kinds of keys that are recorded of a server, each once: also those that are not spoken here, such as <c>ssh-ed25519</c>.</summary>
    /// <param name="host">The server's name or address, as it was called.</param>
    /// <param name="port">Its port.</param>
    public IReadOnlyList<string> Kinds(string host, int port)
    {
        ArgumentNullException.ThrowIfNull(host);
        return [.. Of(host, port).Where(line => !line.IsRevoked).Select(line => line.Kind).Distinct()];
    }

    /// <summary>All algorithms, those of the keys that are recorded of a server first: it shows the key that its first common one asks for.</summary>
    /// <param name="host">The server's name or address, as it was called.</param>
    /// <param name="port">Its port.</param>
    public SshOffer Prefer(string host, int port)
    {
        IReadOnlyList<string> kinds = Kinds(host, port);
        return SshOffer.Default with { HostKeys = [.. SshOffer.Default.HostKeys.OrderBy(name => kinds.Contains(KindOf(name)) ? 0 : 1)] };
    }

    /// <summary>The line that records a server's key.</summary>
    /// <param name="host">The server's name or address, as it was called.</param>
    /// <param name="port">Its port.</param>
    /// <param name="key">Its key.</param>
    public static string Record(string host, int port, SshPublicKey key)
    {
        ArgumentNullException.ThrowIfNull(host);
        return $"{Name(host, port)} {key}";
    }

    private static string KindOf(string algorithm) => algorithm.StartsWith("rsa-sha2-", StringComparison.Ordinal) ? "ssh-rsa" : algorithm;

    private static string Name(string host, int port) => port == PortDefault ? host.ToLowerInvariant() : $"[{host.ToLowerInvariant()}]:{port}";

    private IEnumerable<Line> Of(string host, int port)
    {
        string name = Name(host, port);
        return _lines.Where(line => line.Hosts[0] == '|' ? IsHashOf(line.Hosts, name) : IsAmong(line.Hosts, name));
    }

    // |1|salt|hash
    private static bool IsHashOf(string hashed, string name)
    {
        string[] parts = hashed.Split('|');
        Span<byte> salt = stackalloc byte[64], hash = stackalloc byte[64];
        if (parts is not ["", "1", var saltText, var hashText]
            || !Convert.TryFromBase64String(saltText, salt, out int saltBytes) || !Convert.TryFromBase64String(hashText, hash, out int hashBytes)) return false;
#pragma warning disable CA5350 // The file's format; it hides names, and nothing is trusted because of it.
        byte[] own = HMACSHA1.HashData(salt[..saltBytes], Encoding.UTF8.GetBytes(name));
#pragma warning restore CA5350
        return CryptographicOperations.FixedTimeEquals(own, hash[..hashBytes]);
    }

    // One that is denied takes the line out, whatever else it names.
    private static bool IsAmong(string patterns, string name)
    {
        bool isAmong = false;
        foreach (string pattern in patterns.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            bool isDenied = pattern[0] == '!';
            if (!Fits(pattern.AsSpan(isDenied ? 1 : 0), name)) continue;
            if (isDenied) return false;
            isAmong = true;
        }

        return isAmong;
    }

    // '*' any characters, '?' one. Goes back to the last '*' only: no pattern takes longer than its length times the name's.
    private static bool Fits(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        int p = 0, at = 0, star = -1, taken = 0; // what the last star stands for ends here
        while (at < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, taken) = (p, at);
                p++;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || char.ToLowerInvariant(pattern[p]) == name[at]))
            {
                p++;
                at++;
            }
            else if (star >= 0)
            {
                taken++;
                (p, at) = (star + 1, taken);
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].TrimStart('*').IsEmpty;
    }
}
