using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace KeepAlive.Protocols.Ssh;

/// <summary>A server's or a user's public key: RSA (RFC 4253 section 6.6) or ECDSA on P-256 or P-384 (RFC 5656 section 3.1).</summary>
internal sealed class SshPublicKey : IEquatable<SshPublicKey>
{
    // 2048 is the least that is still safe (RFC 8332 section 5); above this the arithmetic would be a stranger's to spend.
    internal const int RsaBitsMin = 2048;
    internal const int RsaBitsMax = 8192;
    private const int ExponentBytesMax = 8;

    private readonly byte[] _blob;
    private readonly RSAParameters _rsa;
    private readonly ECParameters _point;

    private SshPublicKey(byte[] blob, string kind, RSAParameters rsa, ECParameters point) => (_blob, Kind, _rsa, _point) = (blob, kind, rsa, point);

    /// <summary>What it is: <c>ssh-rsa</c>, <c>ecdsa-sha2-nistp256</c>, <c>ecdsa-sha2-nistp384</c>.</summary>
    public string Kind { get; }

    /// <summary>As ssh and ssh-keygen print it: <c>SHA256:</c> and 43 characters.</summary>
    public string Fingerprint => "SHA256:" + Convert.ToBase64String(SHA256.HashData(_blob)).TrimEnd('=');

    internal ReadOnlySpan<byte> Blob => _blob;

    /// <summary>A line of authorized_keys or of a .pub file: the kind, the key in base64, a comment.</summary>
    /// <param name="line">The line, without options before the kind.</param>
    /// <param name="key">The key.</param>
    /// <returns>Whether it is one of the kinds that are known here.</returns>
    public static bool TryParse(string line, [NotNullWhen(true)] out SshPublicKey? key)
    {
        ArgumentNullException.ThrowIfNull(line);
        key = null;
        string[] words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        byte[] blob = new byte[line.Length];
        return words.Length >= 2 && Convert.TryFromBase64String(words[1], blob, out int bytes) && TryRead(blob.AsSpan(0, bytes), out key) && key.Kind == words[0];
    }

    /// <summary>The line for authorized_keys and known_hosts.</summary>
    public override string ToString() => $"{Kind} {Convert.ToBase64String(_blob)}";

    /// <inheritdoc/>
    public bool Equals(SshPublicKey? other) => other is not null && CryptographicOperations.FixedTimeEquals(_blob, other._blob);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SshPublicKey);

    /// <inheritdoc/>
    public override int GetHashCode() => Fingerprint.GetHashCode(StringComparison.Ordinal);

    internal static bool TryRead(ReadOnlySpan<byte> blob, [NotNullWhen(true)] out SshPublicKey? key)
    {
        key = null;
        var reader = new SshReader(blob);
        string kind = reader.Name();
        if (kind == "ssh-rsa")
        {
            ReadOnlySpan<byte> exponent = reader.Integer(), modulus = reader.Integer();
            if (reader.IsShort || !reader.IsAtEnd || exponent.IsEmpty || exponent.Length > ExponentBytesMax || modulus.Length is < RsaBitsMin / 8 or > RsaBitsMax / 8) return false;
            key = new SshPublicKey(blob.ToArray(), kind, new RSAParameters { Exponent = exponent.ToArray(), Modulus = modulus.ToArray() }, default);
            return true;
        }

        if (SshCurve.Find(kind) is not { } curve) return false;
        string name = reader.Name();
        ReadOnlySpan<byte> point = reader.Text();
        if (reader.IsShort || !reader.IsAtEnd || name != curve.Name || !curve.TryReadPoint(point, out ECPoint q)) return false;
        key = new SshPublicKey(blob.ToArray(), kind, default, new ECParameters { Curve = curve.Curve, Q = q });
        return true;
    }

    /// <summary>Whether the key can sign by this algorithm.</summary>
    internal bool Makes(string algorithm) => Kind == "ssh-rsa" ? algorithm is "rsa-sha2-256" or "rsa-sha2-512" : algorithm == Kind;

    /// <summary>Whether the signature, as it stands on the wire, is this key's of the data.</summary>
    internal bool Verify(string algorithm, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> data)
    {
        var reader = new SshReader(signature);
        string name = reader.Name();
        ReadOnlySpan<byte> body = reader.Text();
        if (reader.IsShort || !reader.IsAtEnd || name != algorithm || !Makes(algorithm)) return false;
        try
        {
            return Kind == "ssh-rsa" ? VerifyRsa(algorithm, body, data) : VerifyEcdsa(body, data);
        }
        catch (CryptographicException)
        {
            return false; // a point off its curve, numbers that make no key
        }
    }

    private bool VerifyRsa(string algorithm, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data)
    {
        using var rsa = RSA.Create(_rsa);
        return rsa.VerifyData(data, body, algorithm == "rsa-sha2-512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    // Two mpints there (RFC 5656 section 3.1.2), two numbers of the curve's length here.
    private bool VerifyEcdsa(ReadOnlySpan<byte> body, ReadOnlySpan<byte> data)
    {
        SshCurve curve = SshCurve.Find(Kind)!;
        var reader = new SshReader(body);
        ReadOnlySpan<byte> r = reader.Integer(), s = reader.Integer();
        if (reader.IsShort || !reader.IsAtEnd || r.Length > curve.Bytes || s.Length > curve.Bytes) return false;
        byte[] both = new byte[2 * curve.Bytes];
        r.CopyTo(both.AsSpan(curve.Bytes - r.Length));
        s.CopyTo(both.AsSpan(both.Length - s.Length));
        using var ecdsa = ECDsa.Create(_point);
        return ecdsa.VerifyData(data, both, curve.Hash);
    }
}
