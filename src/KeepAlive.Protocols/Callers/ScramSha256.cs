using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KeepAlive.Protocols.Callers;

/// <summary>The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding. The user's name is said elsewhere (PostgreSQL).</summary>
internal sealed class ScramSha256
{
    // Whoever asks for more wants to keep us busy.
    private const int RoundsMax = 1_000_000;
    private const int HashBytes = 32;

    private readonly string _password;
    private readonly string _bare;
    private readonly string _nonce;
    private string _proof = "";

    public ScramSha256(string password, uint seed)
    {
        (_password, _nonce) = (password, string.Create(CultureInfo.InvariantCulture, $"{seed:x8}{seed * 0x9E3779B97F4A7C15:x16}"));
        _bare = $"n=,r={_nonce}";
    }

    /// <summary>The client's first message.</summary>
    public string First => "n,," + _bare;

    /// <summary>Its second, which proves that it knows the password; null when the server's first is none.</summary>
    public string? Final(string serverFirst)
    {
        string[] parts = serverFirst.Split(',');
        if (parts is not [['r', '=', .. var nonce], ['s', '=', .. var saltText], ['i', '=', .. var roundsText], ..] || !nonce.StartsWith(_nonce, StringComparison.Ordinal)) return null;
        byte[] salt = new byte[saltText.Length];
        if (!Convert.TryFromBase64String(saltText, salt, out int saltBytes) || !int.TryParse(roundsText, NumberStyles.None, CultureInfo.InvariantCulture, out int rounds) || rounds is < 1 or > RoundsMax) return null;
        byte[] salted = Rfc2898DeriveBytes.Pbkdf2(_password, salt.AsSpan(0, saltBytes), rounds, HashAlgorithmName.SHA256, HashBytes);
        byte[] key = HMACSHA256.HashData(salted, "Client Key"u8);
        string withoutProof = $"c=biws,r={nonce}";
        byte[] said = Encoding.UTF8.GetBytes($"{_bare},{serverFirst},{withoutProof}");
        byte[] signature = HMACSHA256.HashData(SHA256.HashData(key), said);
        for (int i = 0; i < key.Length; i++) key[i] ^= signature[i];
        _proof = $"v={Convert.ToBase64String(HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), said))}";
        return $"{withoutProof},p={Convert.ToBase64String(key)}";
    }

    /// <summary>Whether the server's last message proves the same of it.</summary>
    public bool IsProven(string serverFinal) => _proof.Length > 0 && serverFinal.Split(',')[0] == _proof;
}
