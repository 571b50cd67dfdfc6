using System.Security.Cryptography;

namespace KeepAlive.Protocols.Ssh;

/// <summary>What an exchange of keys has made: the shared secret, as it is hashed, and the exchange's hash.</summary>
internal sealed class SshSecret(byte[] secret, byte[] exchangeHash, HashAlgorithmName hash) : IDisposable
{
    public byte[] ExchangeHash { get; } = exchangeHash;

    /// <summary>HASH(K || H || letter || session id), and as much more as is needed: RFC 4253 section 7.2.</summary>
    public byte[] Derive(char letter, int bytes, byte[] sessionId)
    {
        byte[] first = SshHash.Of(hash, [.. secret, .. ExchangeHash, (byte)letter, .. sessionId]);
        while (first.Length < bytes) first = [.. first, .. SshHash.Of(hash, [.. secret, .. ExchangeHash, .. first])];
        return first[..bytes];
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(secret);
}

/// <summary>A hash by its name.</summary>
internal static class SshHash
{
    public static byte[] Of(HashAlgorithmName name, ReadOnlySpan<byte> bytes) =>
        name == HashAlgorithmName.SHA512 ? SHA512.HashData(bytes) : name == HashAlgorithmName.SHA384 ? SHA384.HashData(bytes) : SHA256.HashData(bytes);
}
