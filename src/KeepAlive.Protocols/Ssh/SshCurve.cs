using System.Security.Cryptography;

namespace KeepAlive.Protocols.Ssh;

/// <summary>One of NIST's curves, as RFC 5656 uses it for keys and for exchanging them.</summary>
internal sealed record SshCurve(string Name, string Oid, ECCurve Curve, int Bytes, HashAlgorithmName Hash)
{
    private const byte Uncompressed = 4; // SEC 1 section 2.3.3; the only form that RFC 5656 section 3.1 demands

    private static readonly SshCurve P256 = new("nistp256", "1.2.840.10045.3.1.7", ECCurve.NamedCurves.nistP256, 32, HashAlgorithmName.SHA256);
    private static readonly SshCurve P384 = new("nistp384", "1.3.132.0.34", ECCurve.NamedCurves.nistP384, 48, HashAlgorithmName.SHA384);

    /// <summary>By the name of a key's kind or of an exchange.</summary>
    public static SshCurve? Find(string algorithm) => algorithm switch
    {
        "ecdsa-sha2-nistp256" or "ecdh-sha2-nistp256" => P256,
        "ecdsa-sha2-nistp384" or "ecdh-sha2-nistp384" => P384,
        _ => null,
    };

    public bool TryReadPoint(ReadOnlySpan<byte> bytes, out ECPoint point)
    {
        bool good = bytes.Length == 1 + (2 * Bytes) && bytes[0] == Uncompressed;
        point = good ? new ECPoint { X = bytes.Slice(1, Bytes).ToArray(), Y = bytes[(1 + Bytes)..].ToArray() } : default;
        return good;
    }

    public static byte[] WritePoint(ECPoint point) => [Uncompressed, .. point.X!, .. point.Y!];
}
