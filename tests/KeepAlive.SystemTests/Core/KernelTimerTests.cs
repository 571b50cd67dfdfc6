using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Core;

/// <summary>
/// <see cref="Probe"/> beside the kernel's own timer: the same policy, a peer that is swallowed by a black hole, the
/// kernel's probes as captured on the wire.
/// </summary>
public sealed class KernelTimerTests
{
    // The kernel's timers are late by up to an eighth (kernel/time/timer.c), and the machine may be busy.
    private const double SlackSeconds = 0.45;
    private static readonly KeepAlivePolicy Policy = new(TimeSpan.FromSeconds(2), 3, TimeSpan.FromSeconds(1));

    [Fact]
    public async Task The_machine_probes_and_gives_up_on_the_kernels_seconds()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using Socket listener = await lab.Server.InsideAsync(() => Listen(lab.Server.Address));
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        await using PacketCapture capture = await PacketCapture.StartAsync(lab.Client, "eth0", $"tcp port {port}");
        using Socket client = await lab.Client.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(lab.Server.Address, port, cancel);
        using Socket server = await listener.AcceptAsync(cancel);
        Assert.True(KernelKeepAlive.Apply(client, KeepAliveSpec.Of(Policy), UserTimeout.Off).IsAsAsked);

        await server.SendAsync("x"u8.ToArray(), cancel);
        byte[] one = new byte[1];
        Assert.Equal(1, await client.ReceiveAsync(one, cancel));
        Packet heard = await capture.WaitForAsync(p => p.Length == 1, TimeSpan.FromSeconds(5), cancel);
        await lab.SwallowEverythingAsync();
        SocketException end = await Assert.ThrowsAsync<SocketException>(async () => await client.ReceiveAsync(one, cancel));
        Assert.Equal(SocketError.TimedOut, end.SocketErrorCode);
        // On giving up the kernel sends a reset (tcp_send_active_reset).
        Packet reset = await capture.WaitForAsync(p => p.Flags.Contains('R', StringComparison.Ordinal), TimeSpan.FromSeconds(5), cancel);

        // Later than the acknowledgment of the last byte, which may be delayed by 40 ms and more.
        double[] kernel = [.. capture.Packets.Where(p => p.To.EndsWith($".{port}", StringComparison.Ordinal) && p.Flags == "." && p.At - heard.At > TimeSpan.FromSeconds(1))
            .Select(p => (p.At - heard.At).TotalSeconds)];
        (double[] machine, double gaveUp) = Play();
        Assert.Equal([2.0, 3.0, 4.0], machine);
        Assert.Equal(5.0, gaveUp);
        Assert.True(kernel.Length == machine.Length, $"the kernel probed at {string.Join(", ", kernel)}");
        Assert.All(kernel.Zip(machine), pair => Assert.InRange(pair.First - pair.Second, -0.05, SlackSeconds));
        Assert.InRange((reset.At - heard.At).TotalSeconds - gaveUp, -0.05, SlackSeconds);
    }

    // The machine, told the same: heard at zero, nothing since.
    private static (double[] Probes, double GaveUp) Play()
    {
        var probe = new Probe(Policy, ProbeQuestion.PeerAlive, Instant.Zero);
        var probes = new List<double>();
        while (true)
        {
            Instant due = probe.Deadline;
            if (probe.OnDeadline(due) == ProbeEffect.GiveUp) return ([.. probes], (due - Instant.Zero).TotalSeconds);
            probe.OnProbeSent(due);
            probes.Add((due - Instant.Zero).TotalSeconds);
        }
    }

    private static Socket Listen(IPAddress address)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address, 0));
        listener.Listen(1);
        return listener;
    }
}
