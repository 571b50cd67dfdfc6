using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KeepAlive.Fleet.Etcd;

/// <summary>
/// TLS to etcd: 1.2 or 1.3, its certificate and its name verified always. The files are read for each connection, so that renewed ones are
/// taken without a restart.
/// </summary>
internal sealed class EtcdTls(EtcdOptions options)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1"; // RFC 5280 section 4.2.1.12

    /// <summary>Shakes hands.</summary>
    /// <param name="transport">Connected; closed when this fails.</param>
    /// <param name="host">Whom the certificate must name.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="EtcdCallException">It failed, and why.</exception>
    public async Task<Stream> ShakeAsync(NetworkStream transport, string host, CancellationToken cancel)
    {
        var tls = new SslStream(transport, leaveInnerStreamOpen: false);
        string? refused = null;
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = host,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                AllowRenegotiation = false,
                AllowTlsResume = false, // a session that is taken up again would not ask for the renewed certificate
                ApplicationProtocols = [SslApplicationProtocol.Http11],
                CertificateChainPolicy = Policy(),
                ClientCertificateContext = Own(),
                RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                {
                    if (errors == SslPolicyErrors.None) return true;
                    refused = EtcdTlsFault.Refused(errors, certificate as X509Certificate2, chain, host, options.CaFile);
                    return false;
                },
            }, cancel).ConfigureAwait(false);
            return tls;
        }
        catch (Exception e)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            if (refused is not null) throw new EtcdCallException(EtcdFault.Certificate, CallOutcome.NotDone, refused, e);
            if (EtcdTlsFault.Describe(e, options) is { } fault) throw fault;
            if (e is not IOException) throw;
            // What etcd does in plain text with bytes that are none of HTTP.
            throw new EtcdCallException(EtcdFault.Unreachable, CallOutcome.NotDone,
                "it closed the connection in the middle of TLS's handshake: if no TLS is spoken there, write http:// in place of https://", e);
        }
    }

    // Nothing is fetched from elsewhere meanwhile: a handshake hangs on nobody but its two ends.
    private X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        if (options.CaFile is not { } file) return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(Certificates(file, Read(file)));
        return policy;
    }

    private SslStreamCertificateContext? Own()
    {
        if (options.CertificateFile is not { } file) return null;
        string text = Read(file), keyFile = options.KeyFile ?? file, key = options.KeyFile is null ? text : Read(keyFile);
        X509Certificate2Collection chain = Certificates(file, text);
        if (key.Contains("ENCRYPTED", StringComparison.Ordinal))
            throw Fault($"the key in {keyFile} is encrypted, and nobody is there to ask for its password: decrypt it with 'openssl pkey', into a file that its owner alone may read");
        try
        {
            X509Certificate2 own = X509Certificate2.CreateFromPem(chain[0].ExportCertificatePem(), key);
            chain.RemoveAt(0);
            return SslStreamCertificateContext.Create(own, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Fault($"{keyFile} is not the key of the first certificate in {file}: give the key's file in PEM, and the certificate it belongs to first in its own", e);
        }
    }

    private static X509Certificate2Collection Certificates(string file, string text)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            throw Fault($"a certificate in {file} cannot be read: {e.Message}", e);
        }

        return found.Count > 0 ? found : throw Fault($"{file} holds no certificate: give one in PEM, which begins with -----BEGIN CERTIFICATE-----");
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Fault($"cannot read {file}: {e.Message}", e);
        }
    }

    private static EtcdCallException Fault(string why, Exception? inner = null) => new(EtcdFault.Certificate, CallOutcome.NotDone, why, inner);
}
