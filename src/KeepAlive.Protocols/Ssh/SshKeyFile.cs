using System.Numerics;
using System.Security.Cryptography;

namespace KeepAlive.Protocols.Ssh;

/// <summary>OpenSSH's own format of private keys, which ssh-keygen writes unless told otherwise, where it is not encrypted.</summary>
/// <remarks>
/// OpenSSH's PROTOCOL.key, as strings (RFC 4251 section 5) but for what is said:
/// <code>
///   "openssh-key-v1\0" (bytes)  cipher  kdf  kdf's options  number of keys (uint32)  public key  private part
///   private part:  check (uint32)  check again (uint32)  kind  numbers of the kind  comment  1, 2, 3... (bytes, to whole blocks)
///   ecdsa:  curve  point  d (mpint)          rsa:  n  e  d  1/q mod p  p  q (mpints)
/// </code>
/// </remarks>
internal static class SshKeyFile
{
    private const string Label = "OPENSSH PRIVATE KEY";

    public static bool Has(string pem) => pem.Contains($"-----BEGIN {Label}-----", StringComparison.Ordinal);

    /// <summary>Reads it.</summary>
    /// <param name="pem">The file's text.</param>
    /// <param name="fault">What is wrong and what to do; null when nothing is.</param>
    public static AsymmetricAlgorithm? Read(string pem, out string? fault)
    {
        fault = "it is in OpenSSH's own format, and broken: make it anew, or take the copy that is whole";
        if (!PemEncoding.TryFind(pem, out PemFields fields) || !pem.AsSpan()[fields.Label].SequenceEqual(Label)) return null;
        byte[] bytes = new byte[fields.DecodedDataLength];
        if (!Convert.TryFromBase64Chars(pem.AsSpan()[fields.Base64Data], bytes, out int length)) return null;
        try
        {
            return Read(bytes.AsSpan(0, length), ref fault);
        }
        catch (CryptographicException)
        {
            return null; // numbers that make no key
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static AsymmetricAlgorithm? Read(ReadOnlySpan<byte> bytes, ref string? fault)
    {
        ReadOnlySpan<byte> magic = "openssh-key-v1\0"u8;
        if (!bytes.StartsWith(magic)) return null;
        var reader = new SshReader(bytes[magic.Length..]);
        string cipher = reader.Name();
        reader.Text(); // kdf
        reader.Text(); // and its options
        uint keys = reader.Number();
        reader.Text(); // the public half, which is inside once more
        var inner = new SshReader(reader.Text());
        if (reader.IsShort || keys != 1) return null;
        if (cipher != "none")
        {
            fault = "it is encrypted: make a copy without a passphrase, for this program's eyes only, with ssh-keygen -p -N '' -f COPY";
            return null;
        }

        if (inner.Number() != inner.Number()) return null;
        string kind = inner.Name();
        AsymmetricAlgorithm? key = kind == "ssh-rsa" ? Rsa(ref inner) : SshCurve.Find(kind) is { } curve ? Ecdsa(curve, ref inner) : null;
        fault = key is not null ? null
            : kind.StartsWith("ecdsa-sha2-nistp", StringComparison.Ordinal) || kind == "ssh-rsa" ? $"its numbers make no {kind} key that can be used: give ECDSA on P-256 or P-384, or RSA of 2048 to 8192 bits"
            : $"it is a key of the kind {SshText.Printable(kind)}, which is not spoken here: make one for this with ssh-keygen -t ecdsa";
        return key;
    }

    private static ECDsa? Ecdsa(SshCurve curve, ref SshReader inner)
    {
        string name = inner.Name();
        ReadOnlySpan<byte> point = inner.Text(), d = inner.Integer();
        if (inner.IsShort || name != curve.Name || d.Length > curve.Bytes || !curve.TryReadPoint(point, out ECPoint q)) return null;
        return ECDsa.Create(new ECParameters { Curve = curve.Curve, Q = q, D = Padded(d, curve.Bytes) });
    }

    private static RSA? Rsa(ref SshReader inner)
    {
        ReadOnlySpan<byte> n = inner.Integer(), e = inner.Integer(), d = inner.Integer(), inverse = inner.Integer(), p = inner.Integer(), q = inner.Integer();
        if (inner.IsShort || n.Length is < SshPublicKey.RsaBitsMin / 8 or > SshPublicKey.RsaBitsMax / 8 || p.Length <= 1 || q.Length <= 1) return null;
        int half = (n.Length + 1) / 2;
        if (d.Length > n.Length || p.Length > half || q.Length > half || inverse.Length > half) return null;
        BigInteger whole = Number(d);
        return RSA.Create(new RSAParameters
        {
            Modulus = n.ToArray(),
            Exponent = e.ToArray(),
            D = Padded(d, n.Length),
            P = Padded(p, half),
            Q = Padded(q, half),
            DP = Padded(Bytes(whole % (Number(p) - 1)), half),
            DQ = Padded(Bytes(whole % (Number(q) - 1)), half),
            InverseQ = Padded(inverse, half),
        });
    }

    private static BigInteger Number(ReadOnlySpan<byte> magnitude) => new(magnitude, isUnsigned: true, isBigEndian: true);

    private static byte[] Bytes(BigInteger number) => number.ToByteArray(isUnsigned: true, isBigEndian: true);

    private static byte[] Padded(ReadOnlySpan<byte> magnitude, int length)
    {
        byte[] padded = new byte[length];
        magnitude.CopyTo(padded.AsSpan(length - magnitude.Length));
        return padded;
    }
}
