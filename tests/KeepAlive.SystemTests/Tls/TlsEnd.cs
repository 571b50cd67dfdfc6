using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KeepAlive.SystemTests.Gateway;

namespace KeepAlive.SystemTests.Tls;

/// <summary>An end that speaks in lines, inside TLS or without it.</summary>
internal sealed class TlsEnd(Socket socket, Stream stream) : IDisposable
{
    private readonly StringBuilder _heard = new();

    public Socket Socket { get; } = socket;

    public Stream Stream { get; } = stream;

    /// <summary>As a client that trusts one authority.</summary>
    public static async Task<TlsEnd> AsClientAsync(Socket socket, string rootFile, string name = Authority.ServerName)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.ImportFromPemFile(rootFile);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = name, CertificateChainPolicy = policy }).WaitAsync(Bench.Patience);
        return new TlsEnd(socket, tls);
    }

    /// <summary>As a server.</summary>
    public static async Task<TlsEnd> AsServerAsync(Socket socket, (string Certificate, string Key) files)
    {
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        using X509Certificate2 own = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);
        X509Certificate2Collection chain = [];
        chain.ImportFromPemFile(files.Certificate);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(own, chain, offline: true) }).WaitAsync(Bench.Patience);
        return new TlsEnd(socket, tls);
    }

    /// <summary>Without TLS.</summary>
    public static TlsEnd Bare(Socket socket) => new(socket, new NetworkStream(socket, ownsSocket: true));

    public async Task SayAsync(string line) => await Stream.WriteAsync(Encoding.Latin1.GetBytes(line + "\r\n"));

    public async Task<string> HearAsync()
    {
        byte[] buffer = new byte[256];
        int end;
        while ((end = _heard.ToString().IndexOf('\n', StringComparison.Ordinal)) < 0)
        {
            int read = await Stream.ReadAsync(buffer).AsTask().WaitAsync(Bench.Patience);
            if (read == 0) throw new EndOfStreamException($"ended after '{_heard}'");
            _heard.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        string line = _heard.ToString(0, end).TrimEnd('\r');
        _heard.Remove(0, end + 1);
        return line;
    }

    /// <summary>Its FIN, and in TLS the word before it.</summary>
    public async Task EndAsync()
    {
        if (Stream is SslStream tls) await tls.ShutdownAsync();
        Socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Whether the other end has ended in order.</summary>
    public async Task<bool> IsEndedAsync()
    {
        try
        {
            return await Stream.ReadAsync(new byte[16]).AsTask().WaitAsync(Bench.Patience) == 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void Dispose() => Stream.Dispose();
}
