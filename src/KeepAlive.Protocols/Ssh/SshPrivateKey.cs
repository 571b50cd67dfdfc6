using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace KeepAlive.Protocols.Ssh;

/// <summary>A server's or a user's private key: RSA or ECDSA.</summary>
internal sealed class SshPrivateKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private SshPrivateKey(AsymmetricAlgorithm key, SshPublicKey publicKey) => (_key, Public) = (key, publicKey);

    /// <summary>Its public half.</summary>
    public SshPublicKey Public { get; }

    /// <summary>A new key: ECDSA on P-256.</summary>
    public static SshPrivateKey Generate() => Of(ECDsa.Create(ECCurve.NamedCurves.nistP256)) ?? throw new InvalidOperationException("P-256 is a known curve");

    /// <summary>This key, which is owned from now on.</summary>
    /// <param name="key">ECDSA on P-256 or P-384, or RSA of 2048 to 8192 bits.</param>
    /// <returns>Null when it is another.</returns>
    public static SshPrivateKey? Of(AsymmetricAlgorithm key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Blob(key) is { } blob && SshPublicKey.TryRead(blob, out SshPublicKey? publicKey) ? new SshPrivateKey(key, publicKey) : null;
    }

    /// <summary>A key from the text of a PEM file, not encrypted: PKCS#8, "EC PRIVATE KEY", "RSA PRIVATE KEY", or OpenSSH's own format.</summary>
    /// <param name="pem">The file's text.</param>
    /// <param name="key">The key.</param>
    /// <param name="fault">What is wrong and what to do.</param>
    public static bool TryParsePem(string pem, [NotNullWhen(true)] out SshPrivateKey? key, [NotNullWhen(false)] out string? fault)
    {
        ArgumentNullException.ThrowIfNull(pem);
        (key, fault) = (null, null);
        if (SshKeyFile.Has(pem))
        {
            AsymmetricAlgorithm? read = SshKeyFile.Read(pem, out fault);
            key = read is null ? null : Of(read);
            if (key is null) read?.Dispose();
        }
        else
        {
            key = Import(ECDsa.Create(), pem) ?? Import(RSA.Create(), pem);
        }

        if (key is null) fault ??= "it holds no private key that can be used: give PEM, not encrypted, with ECDSA on P-256 or P-384, or RSA of 2048 to 8192 bits";
        return key is not null;
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    /// <summary>A signature as it stands on the wire: its algorithm and its body.</summary>
    internal byte[] Sign(string algorithm, ReadOnlySpan<byte> data)
    {
        if (_key is RSA rsa)
        {
            HashAlgorithmName hash = algorithm == "rsa-sha2-512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256;
            return new SshWriter().Text(algorithm).Text(rsa.SignData(data, hash, RSASignaturePadding.Pkcs1)).ToArray();
        }

        SshCurve curve = SshCurve.Find(Public.Kind)!;
        byte[] both = ((ECDsa)_key).SignData(data, curve.Hash);
        SshWriter body = new SshWriter().Integer(both.AsSpan(0, curve.Bytes)).Integer(both.AsSpan(curve.Bytes));
        return new SshWriter().Text(algorithm).Text(body.Bytes).ToArray();
    }

    private static SshPrivateKey? Import(AsymmetricAlgorithm key, string pem)
    {
        SshPrivateKey? imported = null;
        try
        {
            key.ImportFromPem(pem);
            imported = Of(key);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            // Another kind of key, or none.
        }

        if (imported is null) key.Dispose();
        return imported;
    }

    private static byte[]? Blob(AsymmetricAlgorithm key)
    {
        if (key is RSA rsa)
        {
            RSAParameters numbers = rsa.ExportParameters(false);
            return new SshWriter().Text("ssh-rsa").Integer(numbers.Exponent).Integer(numbers.Modulus).ToArray();
        }

        if (key is not ECDsa ecdsa) return null;
        ECParameters point = ecdsa.ExportParameters(false);
        string kind = $"ecdsa-sha2-nistp{ecdsa.KeySize}";
        // The size alone does not tell: other curves have it too.
        bool isKnown = SshCurve.Find(kind) is { } curve && point.Curve.IsNamed && point.Curve.Oid.Value == curve.Oid;
        return isKnown ? new SshWriter().Text(kind).Text(SshCurve.Find(kind)!.Name).Text(SshCurve.WritePoint(point.Q)).ToArray() : null;
    }
}
