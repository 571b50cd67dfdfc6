using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KeepAlive.Sockets;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace KeepAlive.App.Web;

/// <summary>How Kestrel listens, and its bounds.</summary>
internal static class WebListener
{
    // Whoever looks at the page may go to sleep like everybody else.
    private static readonly KeepAliveSpec Tcp = KeepAliveSpec.Of(new KeepAlivePolicy(TimeSpan.FromSeconds(60), 3, TimeSpan.FromSeconds(20)));

    private const int ConnectionsMax = 256;
    private const int HeaderBytesMax = 16 * 1024;

    /// <summary>A socket that hands keepalive to all it accepts, where the system has that.</summary>
    public static Socket Listen(EndPoint at)
    {
        Socket socket = SocketTransportOptions.CreateDefaultBoundListenSocket(at);
        KernelKeepAlive.Apply(socket, Tcp);
        return socket;
    }

    public static void Configure(KestrelServerOptions kestrel, WebOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
        kestrel.Limits.MaxRequestBodySize = RequestBody.BytesMax;
        kestrel.Limits.MaxRequestHeadersTotalSize = HeaderBytesMax;
        kestrel.Listen(options.Listen!, listen =>
        {
            if (options.Certificate is null) return;
            listen.UseHttps(https =>
            {
                https.ServerCertificate = options.Certificate;
                https.ServerCertificateChain = options.Chain;
                if (options.ClientAuthorities is not { } authorities) return;
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.ClientCertificateValidation = (certificate, sent, _) => IsOf(certificate, sent, authorities);
            });
        });
    }

    // Those between it and its authority come with it.
    private static bool IsOf(X509Certificate2 certificate, X509Chain? sent, X509Certificate2Collection authorities)
    {
        using var chain = new X509Chain();
        if (sent is not null) chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.2")); // client authentication (RFC 5280 section 4.2.1.12)
        return chain.Build(certificate);
    }
}
