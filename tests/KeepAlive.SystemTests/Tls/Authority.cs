using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Tls;

/// <summary>A certificate authority for one test: a root that nobody else knows, one authority below it, and what that one issues.</summary>
internal sealed class Authority : IDisposable
{
    /// <summary>The name that servers of these tests have.</summary>
    public const string ServerName = "server.lab.example";

    /// <summary>Certificates of servers (RFC 5280 section 4.2.1.12).</summary>
    public const string Servers = "1.3.6.1.5.5.7.3.1";

    /// <summary>Certificates of clients.</summary>
    public const string Clients = "1.3.6.1.5.5.7.3.2";

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly WorkFolder _work = new();
    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _issuer;

    public Authority(string name = "lab root")
    {
        DateTimeOffset from = DateTimeOffset.UtcNow - (30 * Day), to = DateTimeOffset.UtcNow + (30 * Day);
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest root = Request(name, rootKey, isAuthority: true);
        _root = root.CreateSelfSigned(from, to);
        using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 issuer = Request($"{name} issuing", issuerKey, isAuthority: true).Create(_root, from, to, Serial());
        _issuer = issuer.CopyWithPrivateKey(issuerKey);
        RootFile = _work.File("root.pem");
        File.WriteAllText(RootFile, _root.ExportCertificatePem());
    }

    /// <summary>The root in PEM, for who is to trust it.</summary>
    public string RootFile { get; }

    /// <summary>Files with a new certificate, its issuer's behind it, and with its key.</summary>
    /// <param name="name">A host's name or address.</param>
    /// <param name="validFor">How long from yesterday on; negative for one that is over.</param>
    /// <param name="usage">What it is good for; of several, with blanks between them.</param>
    /// <param name="subject">Its subject; null: the name is its CommonName.</param>
    public (string Certificate, string Key) Issue(string name = ServerName, TimeSpan? validFor = null, string usage = Servers, string? subject = null)
    {
        // RSA, which the oldest of the servers wants.
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(subject ?? $"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out IPAddress? address)) names.AddIpAddress(address);
        else names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. usage.Split(' ').Select(one => new Oid(one))], false));
        DateTimeOffset to = DateTimeOffset.UtcNow + (validFor ?? (10 * Day));
        using X509Certificate2 issued = request.Create(_issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(_issuer.GetECDsaPrivateKey()!), to - (20 * Day), to, Serial());
        string file = _work.File(Path.GetRandomFileName()), keyFile = file + ".key";
        File.WriteAllText(file, $"{issued.ExportCertificatePem()}\n{_issuer.ExportCertificatePem()}\n");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem() + "\n");
        File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return (file, keyFile);
    }

    public void Dispose()
    {
        _root.Dispose();
        _issuer.Dispose();
        _work.Dispose();
    }

    private static CertificateRequest Request(string name, ECDsa key, bool isAuthority)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }

    private static byte[] Serial() => RandomNumberGenerator.GetBytes(8);
}
