using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Paths.Simulation;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Paths;

/// <summary>
/// The same small scenario twice: sockets with the kernel's keepalive behind a real address translation with a real timeout, and
/// simulated. Probes sent and time of death agree.
/// </summary>
/// <remarks>
/// Probes have to agree to the last one. Times may differ by an eighth, by which the kernel's timers may be late each time
/// (kernel/time/timer.c) and the simulated ones are not, and by what a busy machine takes to notice.
/// </remarks>
public sealed class SimulatorAgainstReality
{
    private const int Flows = 12;
    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(0.5);

    // The handshake's end, which starts the kernel's clock, and the simulated schedule's slots.
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(0.2);

    [Fact]
    public async Task A_host_that_is_cut_off_is_found_at_the_same_time_after_as_many_probes()
    {
        var policy = new KeepAlivePolicy(TimeSpan.FromSeconds(2), 3, TimeSpan.FromSeconds(1));
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using RealFlows real = await RealFlows.OpenAsync(policy, TimeSpan.FromSeconds(8), cancel);
        // The third answer of every flow, and then between two probes.
        await real.WaitForAsync(flow => flow.Answers >= 3, TimeSpan.FromSeconds(15), cancel);
        await Task.Delay(TimeSpan.FromSeconds(0.7), cancel);
        await real.CutOffAsync();
        await real.WaitForAsync(flow => flow.Reset is not null, TimeSpan.FromSeconds(15), cancel);

        // Each beside its own: they were not opened at the same moment. Whenever it was after the last answer, and before the next probe, is the same.
        Assert.All(real.All, flow =>
        {
            TimeSpan after = flow.LastAnswer!.Value + Early;
            SimulationResult simulated = Simulator.Run(Simulated(policy, TimeSpan.FromSeconds(8)) with { Time = TimeSpan.FromMinutes(1), CutAt = after }, threads: 1);
            Assert.Equal((1, 0, 0), (simulated.Detection.Count, simulated.Expired, simulated.FalseDeaths));
            Assert.True(simulated.Probes == flow.Probes, $"{flow}: cut off after {after}, simulated {simulated.Probes} probes");
            TimeSpan death = after + simulated.Detection.Max;
            Assert.InRange(flow.Reset!.Value, death - Early, (death * 9 / 8) + Busy);
        });
    }

    [Fact]
    public async Task A_binding_that_expires_first_ends_flows_after_as_many_probes()
    {
        var policy = new KeepAlivePolicy(TimeSpan.FromSeconds(7), 2, TimeSpan.FromSeconds(1));
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using RealFlows real = await RealFlows.OpenAsync(policy, TimeSpan.FromSeconds(4), cancel);
        await real.WaitForAsync(flow => flow.Reset is not null, TimeSpan.FromSeconds(20), cancel);

        // Until after the verdict, and before the first probe of a flow opened again.
        SimulationResult simulated = Simulator.Run(
            Simulated(policy, TimeSpan.FromSeconds(4)) with { Time = policy.DetectionTime + TimeSpan.FromSeconds(1) }, threads: 1);
        Assert.Equal((1, 0), (simulated.Expired, simulated.Survived));
        Assert.All(real.All, flow =>
        {
            Assert.Equal((simulated.Probes, 0), (flow.Probes, flow.Answers));
            Assert.InRange(flow.Reset!.Value, policy.DetectionTime - Early, (policy.DetectionTime * 9 / 8) + Busy);
        });
    }

    private static SimulatedWorld Simulated(KeepAlivePolicy policy, TimeSpan timeout) =>
        new(policy) { Flows = 1, HasJitter = false, OpenWithin = TimeSpan.Zero, RoundTrip = TimeSpan.FromMilliseconds(1), BindingTimeout = timeout };

    /// <summary>What the wire showed of one flow; times are since its first segment.</summary>
    private sealed record RealFlow(DateTimeOffset Opened, int Probes, int Answers, TimeSpan? LastAnswer, TimeSpan? Reset);

    private sealed class RealFlows : IAsyncDisposable
    {
        private readonly NetworkLab _lab;
        private readonly PacketCapture _capture;
        private readonly List<Socket> _sockets = [];
        private readonly List<string> _clients = [];

        private RealFlows(NetworkLab lab, PacketCapture capture) => (_lab, _capture) = (lab, capture);

        public IReadOnlyList<RealFlow> All => ReadAll(_capture.Packets);

        public static async Task<RealFlows> OpenAsync(KeepAlivePolicy policy, TimeSpan timeout, CancellationToken cancel)
        {
            NetworkLab lab = await NetworkLab.BuildAsync(new LabOptions(Middlebox.MasqueradingNat, timeout));
            Socket listener = await lab.Server.InsideAsync(() => Listen(lab.Server.Address));
            int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
            PacketCapture capture = await PacketCapture.StartAsync(lab.Client, "eth0", string.Create(CultureInfo.InvariantCulture, $"tcp port {port}"));
            var flows = new RealFlows(lab, capture);
            flows._sockets.Add(listener);
            for (int i = 0; i < Flows; i++)
            {
                Socket client = await lab.Client.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
                flows._sockets.Add(client);
                await client.ConnectAsync(lab.Server.Address, port, cancel);
                Assert.True(KernelKeepAlive.Apply(client, KeepAliveSpec.Of(policy), UserTimeout.Off).IsAsAsked);
                flows._sockets.Add(await listener.AcceptAsync(cancel));
                flows._clients.Add($"{lab.Client.Address}.{((IPEndPoint)client.LocalEndPoint!).Port}");
            }

            foreach (string client in flows._clients) await capture.WaitForAsync(p => p.From == client && p.Flags == "S", TimeSpan.FromSeconds(5), cancel);

            return flows;
        }

        public Task CutOffAsync() => _lab.SwallowEverythingAsync();

        public async Task WaitForAsync(Func<RealFlow, bool> all, TimeSpan within, CancellationToken cancel)
        {
            // A segment seen is the event; what it made of the flows is looked up.
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(within);
            int seen = 0;
            while (!All.All(all))
            {
                int before = seen;
                Assert.False(limit.IsCancellationRequested, $"not within {within}: {string.Join(", ", All)}");
                while (_capture.Packets.Count == before && !limit.IsCancellationRequested) await Task.Delay(20, cancel);
                seen = _capture.Packets.Count;
            }
        }

        public async ValueTask DisposeAsync()
        {
            foreach (Socket socket in _sockets) socket.Dispose();
            await _capture.DisposeAsync();
            await _lab.DisposeAsync();
        }

        private RealFlow[] ReadAll(IReadOnlyList<Packet> packets) => [.. _clients.Select(client => Read(packets, client))];

        private static RealFlow Read(IReadOnlyList<Packet> packets, string client)
        {
            DateTimeOffset opened = packets.First(p => p.From == client && p.Flags == "S").At;
            // The handshake's own acknowledgment is none.
            Packet[] later = [.. packets.Where(p => p.At - opened > TimeSpan.FromSeconds(1))];
            Packet[] bare(Func<Packet, string> end) => [.. later.Where(p => end(p) == client && p is { Flags: ".", Length: 0 })];
            Packet[] answers = bare(p => p.To);
            Packet? reset = later.FirstOrDefault(p => p.From == client && p.Flags.Contains('R', StringComparison.Ordinal));
            return new RealFlow(opened, bare(p => p.From).Length, answers.Length, answers.Length == 0 ? null : answers[^1].At - opened, reset is null ? null : reset.At - opened);
        }

        private static Socket Listen(IPAddress address)
        {
            var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(address, 0));
            listener.Listen(Flows);
            return listener;
        }
    }
}
