using System.Net;
using System.Net.Sockets;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>
/// A lab whose client host redirects what it dials. The middlebox translates nothing, so that the server sees the port of who
/// really dialled it: the client itself, or a gateway; and forgets nothing while a test lasts.
/// </summary>
internal sealed class TransparentLab : IAsyncDisposable
{
    // Prefix of RFC 5180, for what RFC 2544's addresses are for.
    private const string ClientIPv6 = "2001:2:0:1::2", ServerIPv6 = "2001:2:0:2::2";

    private readonly List<IDisposable> _open = [];

    private TransparentLab(NetworkLab network, Socket listener, IPAddress server)
    {
        (Network, Listener, Server) = (network, listener, new IPEndPoint(server, DataEnds.PortOf(listener)));
        _open.Add(listener);
    }

    public NetworkLab Network { get; }

    public Socket Listener { get; }

    /// <summary>What clients dial.</summary>
    public IPEndPoint Server { get; }

    public int Port => Server.Port;

    public static async Task<TransparentLab> BuildAsync(bool isIPv6 = false)
    {
        NetworkLab network = await NetworkLab.BuildAsync(new LabOptions(Middlebox.StatefulFirewall, BindingTimeout: TimeSpan.FromMinutes(5)));
        try
        {
            if (isIPv6) await AddIPv6Async(network);
            IPAddress server = isIPv6 ? IPAddress.Parse(ServerIPv6) : network.Server.Address;
            return new TransparentLab(network, await network.Server.InsideAsync(() => DataEnds.Listen(server)), server);
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    public Task<GatewayProcess> StartAsync(params string[] options) => GatewayProcess.StartTransparentAsync(Network.Client, Port, ["--protocol", "tcp", .. options]);

    /// <summary>The tables of the client host, as it lists them now.</summary>
    public async Task<string[]> TablesAsync() => [.. (await Network.Client.RunAsync(["nft", "list", "tables"])).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[^1])];

    public Task<string> RulesAsync() => Network.Client.RunAsync(["nft", "list", "ruleset"]);

    /// <summary>Waits until as many tables are left: what ends with a process does so a moment after it.</summary>
    public async Task<string[]> TablesAsync(int count)
    {
        using var limit = new CancellationTokenSource(Bench.Patience);
        string[] tables;
        while ((tables = await TablesAsync()).Length != count) await Task.Delay(20, limit.Token);
        return tables;
    }

    /// <summary>A client of the client host and what the server accepted for it.</summary>
    public async Task<(Line Client, Line Far)> PairAsync(IPEndPoint? to = null)
    {
        Line client = await DialAsync(to ?? Server);
        var far = new Line(await Listener.AcceptAsync().WaitAsync(Bench.Patience));
        _open.Add(far);
        return (client, far);
    }

    public async Task<Line> DialAsync(IPEndPoint to)
    {
        Socket socket = await Network.Client.InsideAsync(() => new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        await socket.ConnectAsync(to).WaitAsync(Bench.Patience);
        var line = new Line(socket);
        _open.Add(line);
        return line;
    }

    /// <summary>Whether a new connection comes to the server by way of a gateway; it is a good one in either case.</summary>
    public async Task<bool> IsRedirectedAsync()
    {
        (Line client, Line far) = await PairAsync();
        bool redirected = !Equals(client.Socket.LocalEndPoint, far.Socket.RemoteEndPoint);
        await DataEnds.TalkAsync(client, far);
        return redirected;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IDisposable open in _open) open.Dispose();
        await Network.DisposeAsync();
    }

    private static async Task AddIPv6Async(NetworkLab lab)
    {
        await lab.Router.RunAsync(["sh", "-e"], $"""
            ip address add 2001:2:0:1::1/64 dev inside nodad
            ip address add 2001:2:0:2::1/64 dev outside nodad
            echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
            """);
        await lab.Router.RunAsync(["nft", "-f", "-"], "table ip6 filter { chain forwarded { type filter hook forward priority 0; policy drop; ct state established accept; tcp flags & (syn|ack) == syn accept; meta l4proto icmpv6 accept; }; }");
        foreach ((NetworkSpace host, string address) in ((NetworkSpace, string)[])[(lab.Client, ClientIPv6), (lab.Server, ServerIPv6)])
            await host.RunAsync(["sh", "-e"], $"ip address add {address}/64 dev eth0 nodad\nip -6 route add default via {address[..^1]}1");
    }
}
