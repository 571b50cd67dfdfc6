using System.Globalization;
using System.Net;

namespace KeepAlive.SystemTests.Lab;

/// <summary>
/// <code>
///   client 198.18.1.2 ── inside │ middlebox │ outside ── 198.19.1.2 server
/// </code>
/// Three network namespaces with a real connection tracker in the middle one. Addresses are those of RFC 2544, which no
/// program takes for private ones. Disposing ends every process inside and removes all of it.
/// </summary>
public sealed class NetworkLab : IAsyncDisposable
{
    private static int _count;

    private NetworkLab(string name)
    {
        Client = new NetworkSpace(name + "-c", IPAddress.Parse("198.18.1.2"));
        Router = new NetworkSpace(name + "-r", IPAddress.Parse("198.18.1.1"));
        Server = new NetworkSpace(name + "-s", IPAddress.Parse("198.19.1.2"));
    }

    public NetworkSpace Client { get; }

    public NetworkSpace Router { get; }

    public NetworkSpace Server { get; }

    private NetworkSpace[] Spaces => [Client, Router, Server];

    public static async Task<NetworkLab> BuildAsync(LabOptions options)
    {
        Requires.Lab();
        Leftovers.SweepOnce();
        NetworkLab lab = new(string.Create(
            CultureInfo.InvariantCulture, $"{Leftovers.Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref _count)}"));
        try
        {
            await lab.ConnectAsync();
            await lab.ConfigureAsync(options);
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on nothing passes in either direction, and nobody is told.</summary>
    public Task SwallowEverythingAsync() => Router.RunAsync(["nft", "add rule ip blackhole early drop"]);

    public Task LetPassAsync() => Router.RunAsync(["nft", "flush chain ip blackhole early"]);

    /// <summary>The middlebox forgets one connection, as if it had been restarted for that one alone.</summary>
    public Task ForgetBindingAsync(int clientPort) =>
        Router.RunAsync(["conntrack", "-D", "-p", "tcp", "--sport", clientPort.ToString(CultureInfo.InvariantCulture)]);

    public async ValueTask DisposeAsync()
    {
        foreach (NetworkSpace space in Spaces.Where(space => File.Exists($"/run/netns/{space.Name}")))
        {
            // Sessions that a server forked do not die with it.
            string pids = await ChildProcess.RunAsync(["ip", "netns", "pids", space.Name]);
            string[] left = pids.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (left.Length > 0) await KillAsync(left);
            await ChildProcess.RunAsync(["ip", "netns", "delete", space.Name]);
        }
    }

    private async Task ConnectAsync()
    {
        foreach (NetworkSpace space in Spaces) await ChildProcess.RunAsync(["ip", "netns", "add", space.Name]);
        await IpAsync(Router, $"""
            link set lo up
            link add inside type veth peer name eth0 netns {Client.Name}
            link add outside type veth peer name eth0 netns {Server.Name}
            address add 198.18.1.1/24 dev inside
            address add 198.19.1.1/24 dev outside
            link set inside up
            link set outside up
            """);
        foreach ((NetworkSpace host, string gateway) in ((NetworkSpace, string)[])[(Client, "198.18.1.1"), (Server, "198.19.1.1")])
        {
            await IpAsync(host, $"""
                link set lo up
                address add {host.Address}/24 dev eth0
                link set eth0 up
                route add default via {gateway}
                """);
        }
    }

    private async Task ConfigureAsync(LabOptions options)
    {
        await Router.RunAsync(["nft", "-f", "-"], LabRules.For(options));
        // /proc/sys/net shows the settings of the namespace of whoever looks.
        await Router.RunAsync(["sh", "-e"], LabRules.Settings(options));
        await Client.RunAsync(["sh", "-e"], LabRules.HostSettings);
        await Server.RunAsync(["sh", "-e"], LabRules.HostSettings);
    }

    private static Task<string> IpAsync(NetworkSpace space, string commands) =>
        ChildProcess.RunAsync(["ip", "-n", space.Name, "-batch", "-"], commands + "\n");

    /// <summary>One that has ended meanwhile is no fault.</summary>
    private static async Task KillAsync(string[] pids)
    {
        await using ChildProcess kill = await ChildProcess.StartAsync(["kill", "-KILL", .. pids]);
        await kill.WaitForExitAsync(TimeSpan.FromSeconds(5));
    }
}
