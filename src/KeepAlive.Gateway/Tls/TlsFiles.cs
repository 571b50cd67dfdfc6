using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KeepAlive.Gateway.Tls;

/// <summary>A file that TLS needs is not what it should be. The message names it and what to do; nothing of its content is in it.</summary>
internal sealed class TlsFileException : Exception
{
    internal TlsFileException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}

/// <summary>Certificates and keys in PEM (RFC 7468).</summary>
internal static class TlsFiles
{
    /// <summary>One certificate at least.</summary>
    /// <param name="option">Who named the file, for faults.</param>
    /// <param name="file">The file.</param>
    /// <exception cref="TlsFileException">It cannot be read, or holds none.</exception>
    public static X509Certificate2Collection Certificates(string option, string file)
    {
        string text = Read(option, file);
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            throw new TlsFileException($"{option}: a certificate in {file} cannot be read: {e.Message}", e);
        }

        if (found.Count > 0) return found;
        throw new TlsFileException($"{option}: {file} holds no certificate: give one in PEM, which begins with -----BEGIN CERTIFICATE-----"
            + " (openssl x509 -inform der makes it of others)");
    }

    /// <summary>The certificate with its key.</summary>
    /// <param name="option">Who named the files, for faults.</param>
    /// <param name="certificate">The certificate.</param>
    /// <param name="certificateFile">Where it came from.</param>
    /// <param name="keyFile">The key's file.</param>
    /// <param name="warnings">What whoever runs it should know of the two, though it works.</param>
    /// <exception cref="TlsFileException">The key cannot be read, or is another's.</exception>
    public static X509Certificate2 WithKey(string option, X509Certificate2 certificate, string certificateFile, string keyFile, out IReadOnlyList<string> warnings)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        string text = Read(option, keyFile);
        var noted = new List<string>();
        warnings = noted;
        if (text.Contains("ENCRYPTED", StringComparison.Ordinal))
            throw new TlsFileException($"{option}: the key in {keyFile} is encrypted, and nobody is there to ask for its password: decrypt it with 'openssl pkey', into a file that its owner alone may read");
        try
        {
            using X509Certificate2 own = X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), text);
            if (MayOthersRead(keyFile)) noted.Add($"others may read the key file {keyFile}: take that from them with 'chmod o-rwx {keyFile}'");
            if (DateTime.UtcNow is var now && (now < own.NotBefore.ToUniversalTime() || now > own.NotAfter.ToUniversalTime()))
                noted.Add(string.Create(CultureInfo.InvariantCulture, $"the certificate in {certificateFile} is valid from {own.NotBefore.ToUniversalTime():yyyy-MM-dd} to {own.NotAfter.ToUniversalTime():yyyy-MM-dd}, so clients will refuse it: renew it"));
            // Windows uses no key that is in memory alone; by way of PKCS #12 it is in its store.
            return X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new TlsFileException($"{option}: {keyFile} is not the key of the first certificate in {certificateFile}: give the key's file in PEM, and the certificate it belongs to first in its own", e);
        }
    }

    private static string Read(string option, string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new TlsFileException($"{option}: cannot read {file}: {e.Message}", e);
        }
    }

    private static bool MayOthersRead(string file) => !OperatingSystem.IsWindows() && File.GetUnixFileMode(file).HasFlag(UnixFileMode.OtherRead);
}
