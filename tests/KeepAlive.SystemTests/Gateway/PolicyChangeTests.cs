using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Sockets;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>A policy that is changed while flows live under it.</summary>
public sealed class PolicyChangeTests
{
    private const string First = "60:3:20";
    private static readonly KeepAliveSpec Never = KeepAliveSpec.Parse("1h:3:1h"), Quick = KeepAliveSpec.Parse("300ms:3:20s");

    [Theory]
    [InlineData(RelayEngine.Auto)]
    [InlineData(RelayEngine.Portable)]
    public async Task Both_legs_of_living_flows_and_of_new_ones_have_it(RelayEngine engine)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: to read other sockets' options");
        await using var bench = new Bench("tcp", o => o with { Engine = engine, Tcp = KeepAliveSpec.Parse(First) });
        (Line client, Line server) = await LivingAsync(bench);
        Assert.Equal(($"{First} 0", $"{First} 0"), OptionsOf(client, server));

        var after = new List<(Line, Line)> { (client, server) };
        foreach ((string tcp, UserTimeout timeout, string expected) in ((string, UserTimeout, string)[])
            [("5:4:3", UserTimeout.Of(TimeSpan.FromSeconds(77)), "5:4:3 77000"), ("on", UserTimeout.Derived, $"{MachineNumbers()} 0"), ("7:2:6", UserTimeout.Of(TimeSpan.FromSeconds(9)), "7:2:6 9000"),
             ("off", UserTimeout.Derived, "off 0"), ("8:2:6", UserTimeout.Derived, "8:2:6 0")])
        {
            bench.Gateway.ChangePolicy(Policy(tcp, timeout));
            after.Add(await LivingAsync(bench));
            Assert.All(after, flow => Assert.Equal((expected, expected), OptionsOf(flow.Item1, flow.Item2)));
        }

        foreach ((Line near, Line far) in after) await DataEnds.TalkAsync(near, far);
        Assert.DoesNotContain(bench.Seen, e => e.Kind is FlowEventKind.Notice or FlowEventKind.Died);
    }

    [Theory]
    [InlineData(RelayEngine.Auto, true)]
    [InlineData(RelayEngine.Auto, false)]
    [InlineData(RelayEngine.Portable, true)]
    public async Task Flows_that_open_meanwhile_have_it(RelayEngine engine, bool isAddress)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: to read other sockets' options");
        const int Flows = 200;
        await using var bench = new Bench("tcp", o => o with { Engine = engine, To = isAddress ? o.To : new HostPort("localhost", o.To.Port) });
        Task<Line>[] dialling = [.. Enumerable.Range(0, Flows).Select(_ => Task.Run(() => DataEnds.DialAsync(bench.Gateway.Listening.Port)))];
        int changes = 0;
        for (Task all = Task.WhenAll(dialling); !all.IsCompleted; changes++)
        {
            bench.Gateway.ChangePolicy(Policy(changes % 2 == 0 ? "on" : "11:5:9", UserTimeout.Off));
            await Task.Yield();
        }

        bench.Gateway.ChangePolicy(Policy("13:7:4", UserTimeout.Of(TimeSpan.FromSeconds(44)))); // many wait to be accepted, or for their server
        for (int i = 0; i < Flows; i++) await bench.EventAsync(FlowEventKind.Connected);
        Connection[] own = Own(c => c.Socket.Local.Port == bench.Gateway.Listening.Port || c.Socket.Remote.Port == DataEnds.PortOf(bench.Server));
        Assert.Equal(2 * Flows, own.Length);
        Assert.All(own, connection => Assert.Equal("13:7:4 44000", Spelled(connection)));
        foreach (Line line in await Task.WhenAll(dialling)) line.Dispose();
    }

    [Theory]
    [InlineData(RelayEngine.Auto)]
    [InlineData(RelayEngine.Portable)]
    public async Task Data_connections_have_it(RelayEngine engine)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: to read other sockets' options");
        await using var bench = new Bench("ftp", o => o with { Engine = engine });
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        using Line near = await DataEnds.DialAsync(await DataEnds.PassiveAsync(client, server, offered));
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await near.SayAsync("some");
        Assert.Equal("some", await far.HearAsync());
        bench.Gateway.ChangePolicy(Policy("9:4:8", UserTimeout.Of(TimeSpan.FromSeconds(33))));
        Assert.Equal(("9:4:8 33000", "9:4:8 33000"), OptionsOf(client, server));
        Assert.Equal(("9:4:8 33000", "9:4:8 33000"), OptionsOf(near, far));
        await DataEnds.TalkAsync(near, far);
    }

    [Theory]
    [InlineData(RelayEngine.Auto)]
    [InlineData(RelayEngine.Portable)]
    public async Task Probes_begin_go_faster_and_end_on_a_living_flow(RelayEngine engine)
    {
        await using var bench = new Bench("ftp", o => o with { Engine = engine, Probe = Never, ClientProbe = Never });
        (Line client, Line server) = await bench.LogInAsync();
        GatewayPolicy policy = Policy(First, UserTimeout.Derived);
        foreach (KeepAliveSpec before in (KeepAliveSpec[])[Never, KeepAliveSpec.Off])
        {
            bench.Gateway.ChangePolicy(policy with { Probe = before });
            bench.Gateway.ChangePolicy(policy with { Probe = Quick }); // an hour early
            Assert.Equal("NOOP", await server.HearAsync());
            await server.SayAsync("200 ours");
            await bench.EventAsync(FlowEventKind.ProbeAnswered);
        }

        bench.Gateway.ChangePolicy(policy with { Probe = KeepAliveSpec.Off });
        await Task.Delay(Quick.Policy!.Idle * 5, TestContext.Current.CancellationToken);
        await Bench.PassAsync(client, server, "SIZE a", "213 5"); // no probe is before it
    }

    [Fact]
    public async Task A_probe_that_is_out_counts_under_the_next_policy()
    {
        await using var bench = new Bench("ftp", o => o with { Probe = KeepAliveSpec.Parse("300ms:9:1h"), ClientProbe = KeepAliveSpec.Off });
        (Line client, Line server) = await bench.LogInAsync();
        Assert.Equal("NOOP", await server.HearAsync());
        await bench.EventAsync(FlowEventKind.ProbeSent);
        bench.Gateway.ChangePolicy(Policy(First, UserTimeout.Derived) with { Probe = KeepAliveSpec.Parse("300ms:1:300ms") });
        FlowEvent died = await bench.EventAsync(FlowEventKind.Died);
        Assert.StartsWith("1 probes in a row unanswered", died.Text, StringComparison.Ordinal);
        Assert.Equal(SocketError.ConnectionReset, await client.EndAsync());
    }

    [Fact]
    public async Task Each_flow_costs_microseconds_and_no_garbage()
    {
        const int Flows = 400;
        await using var bench = new Bench("tcp");
        for (int i = 0; i < Flows; i++) await bench.PairAsync();
        bench.Gateway.ChangePolicy(Policy("5:4:3", UserTimeout.Off)); // the first of each kind is read back
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        bench.Gateway.ChangePolicy(Policy("6:4:3", UserTimeout.Off));
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        double each = watch.Elapsed.TotalMicroseconds / Flows;
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{each:0.0} us and {allocated / Flows} bytes a flow"));
        Assert.InRange(each, 0, 1000); // measured: 9, of which ten system calls are most
        Assert.InRange(allocated / Flows, 0, 100); // the list of them has 8
    }

    private static GatewayPolicy Policy(string tcp, UserTimeout timeout) => new(KeepAliveSpec.Parse(tcp), timeout, Never, Never);

    private static async Task<(Line Client, Line Server)> LivingAsync(Bench bench)
    {
        (Line client, Line server) = await bench.PairAsync();
        await client.SayAsync("there");
        Assert.Equal("there", await server.HearAsync());
        return (client, server);
    }

    private static string MachineNumbers()
    {
        using var plain = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        KernelKeepAliveValues own = KernelKeepAlive.Read(plain);
        return string.Create(CultureInfo.InvariantCulture, $"{own.Idle!.Value.TotalSeconds}:{own.Count}:{own.Interval!.Value.TotalSeconds}");
    }

    // Of the gateway's ends, which are the other ends of the test's.
    private static (string Downstream, string Upstream) OptionsOf(Line client, Line server) => (OptionsOf(client.Socket), OptionsOf(server.Socket));

    private static string OptionsOf(Socket end) => Spelled(Own(c => c.Socket.Local.Equals(end.RemoteEndPoint) && c.Socket.Remote.Equals(end.LocalEndPoint)).Single());

    private static Connection[] Own(Func<Connection, bool> fits) =>
        [.. ConnectionReader.Read(new ConnectionScope { Pid = Environment.ProcessId }).Connections.Where(c => c.Socket.State == TcpState.Established && fits(c))];

    // idle:count:interval in seconds, user timeout in milliseconds.
    private static string Spelled(Connection connection) => $"{ConnectionVerdict.Spec(connection.Options!)} {connection.Options!.UserTimeout}";
}
