using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace KeepAlive.Gateway.Tls;

/// <summary>How TLS is spoken to clients: 1.2 or 1.3, with a certificate of the gateway's own.</summary>
internal sealed class TlsDownstream
{
    private readonly SslServerAuthenticationOptions _options;

    private TlsDownstream(SslStreamCertificateContext certificate, IReadOnlyList<string>? alpn, IReadOnlyList<string> warnings)
    {
        Warnings = warnings;
        _options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowRenegotiation = false,
            ApplicationProtocols = alpn is null ? null : [.. alpn.Select(text => new SslApplicationProtocol(text))],
        };
    }

    /// <summary>What whoever runs it should know of the two files, though it works; empty when all is well.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>Reads what it needs.</summary>
    /// <param name="certificateFile">PEM: the certificate, then those between it and its root, which are sent with it.</param>
    /// <param name="keyFile">PEM: its key, not encrypted.</param>
    /// <param name="alpn">Names of application protocols that are agreed to (RFC 7301); null for any.</param>
    /// <exception cref="TlsFileException">A file cannot be read, or does not hold what it should.</exception>
    public static TlsDownstream Load(string certificateFile, string keyFile, IReadOnlyList<string>? alpn = null)
    {
        ArgumentNullException.ThrowIfNull(certificateFile);
        ArgumentNullException.ThrowIfNull(keyFile);
        X509Certificate2Collection chain = TlsFiles.Certificates("--tls-downstream", certificateFile);
        X509Certificate2 own = TlsFiles.WithKey("--tls-downstream", chain[0], certificateFile, keyFile, out IReadOnlyList<string> warnings);
        chain.RemoveAt(0);
        return new TlsDownstream(SslStreamCertificateContext.Create(own, chain, offline: true), alpn, warnings);
    }

    /// <summary>Shakes hands as the server, which the gateway is to a client whoever has dialled whom.</summary>
    /// <param name="client">A connected socket; it stays the caller's when this fails.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="TlsException">It failed, and why.</exception>
    internal async Task<TlsLeg> ShakeAsync(Socket client, CancellationToken cancellation)
    {
        var leg = new TlsLeg(client);
        await leg.ShakeAsync(_options, cancellation).ConfigureAwait(false);
        return leg;
    }
}
