using System.Net.Sockets;
using KeepAlive.Gateway;
using KeepAlive.Gateway.Tls;
using KeepAlive.SystemTests.Gateway;

namespace KeepAlive.SystemTests.Tls;

/// <summary>A gateway some of whose legs are TLS, between a client and a server of the test.</summary>
public abstract class TlsGatewayTests : GatewayTests, IDisposable
{
    private readonly Authority _authority = new();
    private readonly List<TlsEnd> _ends = [];

    private protected Authority Authority => _authority;

    private protected (string Certificate, string Key) ServerFiles => field.Certificate is null ? field = _authority.Issue() : field;

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        foreach (TlsEnd end in _ends) end.Dispose();
        _authority.Dispose();
    }

    /// <summary>Which legs are TLS.</summary>
    [Flags]
    public enum Legs
    {
        None = 0,
        Downstream = 1,
        Upstream = 2,
        Both = Downstream | Upstream,
    }

    private protected Bench NewTlsBench(Legs legs, string protocol = "tcp", Func<GatewayOptions, GatewayOptions>? change = null) => NewBench(protocol, o =>
    {
        (string certificate, string key) = ServerFiles;
        o = o with
        {
            TlsDownstream = legs.HasFlag(Legs.Downstream) ? TlsDownstream.Load(certificate, key) : null,
            TlsUpstream = legs.HasFlag(Legs.Upstream) ? TlsUpstream.Load(Authority.ServerName, _authority.RootFile) : null,
        };
        return change?.Invoke(o) ?? o;
    });

    private protected async Task<(TlsEnd Client, TlsEnd Server)> TlsPairAsync(Bench bench, Legs legs)
    {
        Task<TlsEnd> client = ClientAsync(bench, legs), server = ServerAsync(bench, legs);
        await Task.WhenAll(client, server);
        return (await client, await server);
    }

    private protected async Task<TlsEnd> ClientAsync(Bench bench, Legs legs)
    {
        Socket socket = (await bench.ConnectAsync()).Socket;
        return Keep(legs.HasFlag(Legs.Downstream) ? await TlsEnd.AsClientAsync(socket, _authority.RootFile) : TlsEnd.Bare(socket));
    }

    private protected async Task<TlsEnd> ServerAsync(Bench bench, Legs legs)
    {
        Socket socket = await bench.Server.AcceptAsync().WaitAsync(Bench.Patience);
        return Keep(legs.HasFlag(Legs.Upstream) ? await TlsEnd.AsServerAsync(socket, ServerFiles) : TlsEnd.Bare(socket));
    }

    private protected TlsEnd Keep(TlsEnd end)
    {
        _ends.Add(end);
        return end;
    }
}
