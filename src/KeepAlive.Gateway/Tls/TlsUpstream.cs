using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KeepAlive.Gateway.Tls;

/// <summary>How TLS is spoken to a server: 1.2 or 1.3, its certificate verified always.</summary>
internal sealed class TlsUpstream
{
    private readonly X509Certificate2Collection? _roots;
    private readonly List<SslApplicationProtocol>? _protocols;

    private TlsUpstream(string name, X509Certificate2Collection? roots, IReadOnlyList<string>? alpn)
    {
        (Name, _roots) = (name, roots);
        if (alpn is not null) _protocols = [.. alpn.Select(text => new SslApplicationProtocol(text))];
    }

    /// <summary>The name that is asked for (SNI, RFC 6066 section 3) and that the certificate must bear; an address is verified, and not asked for.</summary>
    public string Name { get; }

    /// <summary>Reads what it needs.</summary>
    /// <param name="name">The server's name or address.</param>
    /// <param name="caFile">Roots in PEM, trusted in place of the machine's; null for the machine's.</param>
    /// <param name="alpn">Names of application protocols to offer (RFC 7301); null for none.</param>
    /// <exception cref="TlsFileException">The file cannot be read, or holds no certificate.</exception>
    public static TlsUpstream Load(string name, string? caFile = null, IReadOnlyList<string>? alpn = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        X509Certificate2Collection? roots = caFile is null ? null : TlsFiles.Certificates("--ca", caFile);
        return new TlsUpstream(name, roots, alpn);
    }

    /// <summary>Shakes hands as the client, which the gateway is to a server whoever has dialled whom.</summary>
    /// <param name="server">A connected socket; it stays the caller's when this fails.</param>
    /// <param name="spelling">The name as it is to be written, for <see cref="TlsSpelling"/>; null for as given.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="TlsException">It failed, and why.</exception>
    internal async Task<TlsLeg> ShakeAsync(Socket server, string? spelling, CancellationToken cancellation)
    {
        string? refused = null;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = spelling ?? Name,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowRenegotiation = false,
            CertificateChainPolicy = Policy(),
            ApplicationProtocols = _protocols,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (errors == SslPolicyErrors.None) return true;
                refused = TlsFault.Describe(errors, certificate as X509Certificate2, chain, Name);
                return false;
            },
        };
        var leg = new TlsLeg(server);
        try
        {
            await leg.ShakeAsync(options, cancellation).ConfigureAwait(false);
            return leg;
        }
        catch (TlsException e) when (refused is not null)
        {
            throw new TlsException(refused, e);
        }
    }

    // One for each handshake: the moment of verification is in it, and the peer's own certificates are added to it. Nothing is fetched
    // from elsewhere meanwhile, neither certificates nor lists of revoked ones: a handshake hangs on nobody but its two ends.
    private X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1")); // server authentication (RFC 5280 section 4.2.1.12)
        if (_roots is null) return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(_roots);
        return policy;
    }
}
