using System.Security.Cryptography;

namespace KeepAlive.Protocols.Ssh;

/// <summary>What both ends have come to: of each list the client's first name that is the server's too (RFC 4253 section 7.1).</summary>
internal sealed record SshAgreement(string KeyExchange, string HostKey, string CipherToServer, string CipherToClient, string MacToServer, string MacToClient)
{
    /// <summary>The peer guessed, and wrongly: its next message is to be ignored.</summary>
    public required bool IsGuessWrong { get; init; }

    /// <summary>The hash of the exchange: RFC 5656 section 6.2.1.</summary>
    public HashAlgorithmName Hash => KeyExchange == "ecdh-sha2-nistp384" ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;

    public ECCurve Curve => KeyExchange == "ecdh-sha2-nistp384" ? ECCurve.NamedCurves.nistP384 : ECCurve.NamedCurves.nistP256;

    /// <summary>For people.</summary>
    public string Describe() => $"{KeyExchange}, {HostKey}, {Direction(CipherToServer, MacToServer)}"
        + (CipherToServer == CipherToClient && MacToServer == MacToClient ? "" : $" and {Direction(CipherToClient, MacToClient)}");

    public static SshFault? Find(SshKexInit client, SshKexInit server, SshKexInit peer, out SshAgreement? agreement)
    {
        agreement = null;
        string? missing = null;
        string Pick(string what, string[] ours, string[] theirs)
        {
            var known = theirs.ToHashSet();
            string? both = Array.Find(ours, known.Contains);
            if (both is null) missing ??= $"no {what} in common: the server has {Shown(theirs)}, the client {Shown(ours)}";
            return both ?? "";
        }

        string kex = Pick("key exchange", [.. client.KeyExchanges.Where(IsExchange)], server.KeyExchanges), host = Pick("host key", client.HostKeys, server.HostKeys);
        string toServer = Pick("cipher", client.CiphersToServer, server.CiphersToServer), toClient = Pick("cipher", client.CiphersToClient, server.CiphersToClient);
        string macToServer = HasOwnMac(toServer) ? "" : Pick("MAC", client.MacsToServer, server.MacsToServer);
        string macToClient = HasOwnMac(toClient) ? "" : Pick("MAC", client.MacsToClient, server.MacsToClient);
        Pick("compression", client.CompressionToServer, server.CompressionToServer);
        Pick("compression", client.CompressionToClient, server.CompressionToClient);
        if (missing is not null) return new SshFault(SshReason.KeyExchangeFailed, missing);
        agreement = new SshAgreement(kex, host, toServer, toClient, macToServer, macToClient)
        {
            IsGuessWrong = peer.IsGuessFollowing && (client.KeyExchanges[0] != server.KeyExchanges[0] || client.HostKeys[0] != server.HostKeys[0]),
        };
        return null;
    }

    /// <summary>The protection of one direction, from its keys: their names are RFC 4253 section 7.2's letters.</summary>
    public SshProtection Protect(SshSecret secret, byte[] sessionId, bool isToServer)
    {
        string cipher = isToServer ? CipherToServer : CipherToClient, mac = isToServer ? MacToServer : MacToClient;
        byte[] Derive(char toServer, char toClient, int bytes) => secret.Derive(isToServer ? toServer : toClient, bytes, sessionId);
        byte[] key = Derive('C', 'D', KeyBytes(cipher));
        if (HasOwnMac(cipher)) return new SshGcm(key, Derive('A', 'B', 12));
        HashAlgorithmName hash = mac.StartsWith("hmac-sha2-512", StringComparison.Ordinal) ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256;
        return new SshCtr(key, Derive('A', 'B', 16), hash, Derive('E', 'F', hash == HashAlgorithmName.SHA512 ? 64 : 32), mac.EndsWith("-etm@openssh.com", StringComparison.Ordinal));
    }

    private static int KeyBytes(string cipher) => cipher[..6] switch { "aes256" => 32, "aes192" => 24, _ => 16 };

    private static bool HasOwnMac(string cipher) => cipher.EndsWith("-gcm@openssh.com", StringComparison.Ordinal);

    // The markers that travel in the list are no algorithms.
    private static bool IsExchange(string name) => name is not (SshKexInit.StrictClient or SshKexInit.StrictServer or SshKexInit.ExtInfoClient);

    private static string Direction(string cipher, string mac) => mac.Length == 0 ? cipher : $"{cipher} with {mac}";

    // Somebody else's list, and as long as they like.
    private static string Shown(string[] names)
    {
        const int CharsMax = 200;
        string all = names.Length == 0 ? "none" : string.Join(", ", names);
        return all.Length <= CharsMax ? all : all[..CharsMax] + "...";
    }
}
