using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Up;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>What is not usual about a lab of daemons.</summary>
internal sealed record FleetLabOptions
{
    /// <summary>Where the daemons and their clients are; null: on this machine.</summary>
    public NetworkSpace? Client { get; init; }

    /// <summary>Where the server is; null: beside them.</summary>
    public NetworkSpace? Server { get; init; }

    public int FlowsEach { get; init; } = 2;

    /// <summary>What each machine's own file says.</summary>
    public string Tcp { get; init; } = "7000:9:75";
}

/// <summary>Daemons of one fleet, each with a gateway and flows through it to one echoing server.</summary>
internal sealed class FleetLab : IAsyncDisposable
{
    public const string Fleet = "lab";

    /// <summary>Tests that start several processes each: one of them at a time, beside all the others.</summary>
    public const string Collection = "fleets";

    private const int StartingAtOnce = 4; // .NET's start is what two processors are busy with

    /// <summary>How long all of them may take for what nobody has promised in less.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly WorkFolder _work = new();
    private readonly string _endpoints;
    private readonly FleetLabOptions _options;
    private readonly Socket _server;
    private readonly CancellationTokenSource _over = new();
    private readonly Task _echoing;
    private readonly EtcdClient _etcd;

    private FleetLab(EtcdCluster cluster, FleetLabOptions options, Socket server)
    {
        (_endpoints, _options, _server) = (cluster.Endpoints, options, server);
        _echoing = EchoAsync();
        _etcd = new EtcdClient(cluster.Options);
        Store = new FleetStore(_etcd, new FleetKeys(Fleet), TimeProvider.System);
    }

    public FleetStore Store { get; }

    public List<Machine> Machines { get; } = [];

    /// <summary>A daemon, and the clients of its gateway.</summary>
    internal sealed record Machine(string Name, WorkFolder Work, Dictionary<string, string> Environment)
    {
        public UpProcess Up { get; set; } = null!;

        public List<Line> Clients { get; } = [];
    }

    /// <summary>Starts them, and waits until each is in the fleet and its flows are open.</summary>
    public static async Task<FleetLab> StartAsync(EtcdCluster cluster, int machines, FleetLabOptions? options = null)
    {
        options ??= new FleetLabOptions();
        Socket server = options.Server is { } far ? await far.InsideAsync(() => DataEnds.Listen(far.Address))
            : options.Client is { } near ? await near.InsideAsync(() => DataEnds.Listen(IPAddress.Loopback)) : DataEnds.Listen(IPAddress.Loopback);
        var lab = new FleetLab(cluster, options, server);
        try
        {
            await Parallel.ForEachAsync(Enumerable.Range(1, machines), new ParallelOptions { MaxDegreeOfParallelism = StartingAtOnce }, async (i, _) =>
            {
                Machine machine = lab.New(string.Create(CultureInfo.InvariantCulture, $"m{i:00}"), cluster.Endpoints);
                await lab.StartAsync(machine);
                await machine.Up.WaitForAsync("fleet", 1, "is in the fleet");
                await lab.ConnectAsync(machine);
            });
            lab.Machines.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>A daemon's place, with nothing running yet.</summary>
    public Machine New(string name, string endpoints)
    {
        var machine = new Machine(name, new WorkFolder(), new Dictionary<string, string>
        {
            ["KEEPALIVE_FLEET"] = endpoints,
            ["KEEPALIVE_FLEET_NAME"] = Fleet,
            ["KEEPALIVE_MACHINE"] = name,
            ["KEEPALIVE_PAGE"] = "off",
            ["KEEPALIVE_PATHS"] = _work.File($"{name}.json"),
            ["DOTNET_TieredPGO"] = "0",
        });
        lock (Machines) Machines.Add(machine);
        return machine;
    }

    /// <summary>Starts a machine's daemon.</summary>
    public async Task StartAsync(Machine machine) => machine.Up = await UpProcess.StartAsync(machine.Work, Config, _options.Client, environment: machine.Environment);

    /// <summary>Opens the flows of a machine.</summary>
    public async Task ConnectAsync(Machine machine)
    {
        int port = await machine.Up.PortOfAsync("echo");
        while (machine.Clients.Count < _options.FlowsEach) machine.Clients.Add(await DialAsync(port));
        await TalkAsync(machine);
    }

    private async Task<Line> DialAsync(int port)
    {
        if (_options.Client is null) return await DataEnds.DialAsync(port);
        return new Line(await _options.Client.InsideAsync(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(IPAddress.Loopback, port);
            return socket;
        }));
    }

    /// <summary><c>keepalive fleet ...</c>, beside the daemons, or on another host of the lab; what it prints.</summary>
    public Task<string> CommandAsync(string[] command, string? input = null, NetworkSpace? inside = null)
    {
        string[] all = [UpProcess.Program, "fleet", "--fleet", _endpoints, "--fleet-name", Fleet, .. command];
        return (inside ?? _options.Client) is { } space ? space.RunAsync(all, input) : ChildProcess.RunAsync(all, input);
    }

    /// <summary>Sets a policy for all, as <c>keepalive fleet policy set</c> does; tried again while etcd is in trouble.</summary>
    public async Task<PolicyRecord> SetAsync(string tcp, CanaryOptions? canary = null)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                return await Store.SetAsync($$"""{ "gateways": [ { "tcp": "{{tcp}}" } ] }""", "test@lab", "", canary, limit.Token);
            }
            catch (EtcdException) when (!limit.IsCancellationRequested)
            {
                await Task.Delay(200, limit.Token);
            }
        }
    }

    /// <summary>Waits until the kernel says of every flow's both legs, on every machine, that they have these numbers.</summary>
    /// <returns>How long that took.</returns>
    public async Task<TimeSpan> ConvergedAsync(string tcp, TimeSpan? patience = null, params IReadOnlyList<Machine> machines)
    {
        if (machines.Count == 0) machines = Machines;
        var watch = Stopwatch.StartNew();
        while (true)
        {
            string[] others = [.. (await EffectiveAsync(machines)).Where(e => e.Value.Any(spec => spec != tcp) || e.Value.Length != 2 * _options.FlowsEach).Select(e => $"{e.Key}: {string.Join(' ', e.Value)}")];
            if (others.Length == 0) return watch.Elapsed;
            if (watch.Elapsed > (patience ?? Patience))
                Assert.Fail($"after {watch.Elapsed.TotalSeconds:0.0} s not all have {tcp}: {string.Join("; ", others)}\n{machines.First(m => others[0].StartsWith(m.Name, StringComparison.Ordinal)).Up.Transcript}");
            await Task.Delay(20);
        }
    }

    /// <summary>What the kernel says of the legs of each machine's flows.</summary>
    public async Task<Dictionary<string, string[]>> EffectiveAsync(IReadOnlyList<Machine> machines)
    {
        ConnectionList list = await Task.Run(() => ConnectionReader.Read(new ConnectionScope { States = TcpStates.Lasting, AllNamespaces = true }));
        return machines.ToDictionary(m => m.Name, m => list.Connections
            .Where(c => c.Socket.State == TcpState.Established && c.Owners.Any(o => o.Pid == m.Up.Id) && (c.Socket.Remote.Equals(_server.LocalEndPoint) || IsNear(c.Socket)))
            .Select(c => c.Options is { KeepAlive: 1 } o ? string.Create(CultureInfo.InvariantCulture, $"{o.Idle}:{o.Count}:{o.Interval}") : "off").ToArray());
    }

    private bool IsNear(SocketRow socket) => socket.Local.Address.Equals(IPAddress.Loopback) && socket.Remote.Address.Equals(IPAddress.Loopback) && !socket.Remote.Equals(_server.LocalEndPoint);

    /// <summary>Every flow carries a line there and back: none was dropped.</summary>
    public Task TalkAsync() => Task.WhenAll(Machines.ToArray().Select(TalkAsync));

    public static async Task TalkAsync(Machine machine)
    {
        foreach (Line client in machine.Clients)
        {
            await client.SayAsync("still there?");
            Assert.Equal("still there?", await client.HearAsync());
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Machine machine in Machines)
        {
            foreach (Line client in machine.Clients) client.Dispose();
            if (machine.Up is not null) await machine.Up.DisposeAsync();
            machine.Work.Dispose();
        }

        _etcd.Dispose();
        await _over.CancelAsync();
        await _echoing;
        _server.Dispose();
        _over.Dispose();
        _work.Dispose();
    }

    private string Config => $$"""{ "gateways": [ { "name": "echo", "listen": "127.0.0.1:0", "to": "{{_server.LocalEndPoint}}", "protocol": "tcp", "tcp": "{{_options.Tcp}}", "noCheck": true, "drain": "0s" } ] }""";

    private async Task EchoAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                Socket accepted = await _server.AcceptAsync(_over.Token);
                open.Add(Task.Run(() => EchoAsync(accepted)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task EchoAsync(Socket accepted)
    {
        using Socket socket = accepted;
        byte[] chunk = new byte[256];
        try
        {
            while (await socket.ReceiveAsync(chunk, _over.Token) is > 0 and int read) await socket.SendAsync(chunk.AsMemory(0, read), _over.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // Reset, or the test is over.
        }
    }
}
