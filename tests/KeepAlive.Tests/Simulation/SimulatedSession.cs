using KeepAlive.Core;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Simulation;

/// <summary>A client, the gateway's protocol and a server, joined by wires, all from one seed.</summary>
internal sealed class SimulatedSession
{
    private readonly Behaviour _behaviour;
    private readonly bool _busyInTransfers;

    public SimulatedSession(Behaviour behaviour, int seed, bool probes, bool busyInTransfers)
    {
        (_behaviour, _busyInTransfers) = (behaviour, busyInTransfers);
        var random = new Random(seed);
        var data = new SimulatedData();
        Server = new SimulatedServer(Time, behaviour, seed, data);
        Client = new SimulatedClient(Time, behaviour, seed, Server, data, busyInTransfers);
        Policy = new KeepAlivePolicy(TimeSpan.FromSeconds(random.Next(1, 30)), random.Next(4, 6), TimeSpan.FromSeconds(random.Next(1, 12)));
        if (behaviour == Behaviour.Stalling) Policy = new KeepAlivePolicy(Policy.Idle, 20, TimeSpan.FromSeconds(10));
        var options = new FtpOptions { RandomOrder = behaviour != Behaviour.Filtered && random.Next(2) == 0 };
        if (random.Next(4) == 0) options = options with { Commands = [.. FtpOptions.CommandsDefault, FtpKeepAliveCommand.Cwd, FtpKeepAliveCommand.List] };
        Relay = new SimulatedRelay(Time, options, Known, Policy, data, probes, (uint)seed) { Meant = Server.MeantForClient };
        var wires = new Random(seed + 1);
        var clientToRelay = new Wire(Time, wires, Relay.OnClientBytes);
        var relayToServer = new Wire(Time, wires, Server.OnBytes, cuts: behaviour != Behaviour.Collapsing);
        var serverToRelay = new Wire(Time, wires, Relay.OnServerBytes);
        var relayToClient = new Wire(Time, wires, Client.OnBytes);
        Client.Send = b => clientToRelay.Send(b);
        Relay.ToServer = b => relayToServer.Send(b);
        Server.Send = b => serverToRelay.Send(b);
        Relay.ToClient = b => relayToClient.Send(b);
        Server.Greet();
    }

    public VirtualTime Time { get; } = new();

    public KeepAlivePolicy Policy { get; }

    public FtpServer Known { get; } = new();

    public SimulatedServer Server { get; }

    public SimulatedClient Client { get; }

    public SimulatedRelay Relay { get; }

    public void RunToTheEnd() => Time.RunUntil(Time.Now + TimeSpan.FromHours(6));

    /// <summary>What went against the promises, or null.</summary>
    public string? Fault()
    {
        string[] faults = [.. Server.Faults, .. Client.Faults, .. Relay.Faults];
        if (faults.Length > 0) return string.Join("; ", faults.Take(5));
        if (Relay.GaveUp != Instant.Never) return "gave up on a living server";
        if (!Client.IsDone) return $"the client still waits for {Client.Waiting}";
        if (!Client.Said.SequenceEqual(Server.ClientBytes)) return "the server was told something else than the client said";
        byte[] meant = [.. Server.Replies.Where(r => !r.Ours).SelectMany(r => r.Bytes)];
        if (!Client.Seen.SequenceEqual(meant)) return "the client saw something else than the server said to it";
        if (Relay.OwedMost > FtpProbes.OwedMax + 10) return $"{Relay.OwedMost} answers owed";
        return Relay.HeldLongest > HoldMost ? $"a command was held for {Relay.HeldLongest}, over {HoldMost}" : null;
    }

    // A round trip where the server answers; else what it takes to find out that it does not.
    private TimeSpan HoldMost => _behaviour switch
    {
        Behaviour.Stalling => FtpProtocol.HoldMax + FtpProtocol.StraightMax + TimeSpan.FromSeconds(4), // two for a listing of ours
        Behaviour.Silent or Behaviour.Filtered => FtpProtocol.HoldMax + TimeSpan.FromSeconds(0.5),
        _ => TimeSpan.FromSeconds(_busyInTransfers ? 2 : 0.5),
    };
}
