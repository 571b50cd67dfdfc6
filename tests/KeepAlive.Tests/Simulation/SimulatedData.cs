using System.Net;
using KeepAlive.Core;
using KeepAlive.Protocols;

namespace KeepAlive.Tests.Simulation;

/// <summary>Data connections without sockets: whether one is open is the simulation's to say.</summary>
internal sealed class SimulatedData : IDataPaths
{
    /// <summary>Where the peers are told to dial; the port 0 stands for the one that was asked for.</summary>
    public IPEndPoint Ours { get; init; } = new(IPAddress.Parse("10.0.0.2"), 0);

    public bool IsFull { get; set; }

    public bool IsOpen { get; set; }

    public Action OnClose { get; set; } = () => { };

    public List<string> Asked { get; } = [];

    public Func<IPAddress, bool> Peers { get; set; } = _ => true;

    public IPEndPoint? Open(Leg from, int port)
    {
        Asked.Add($"open {from} {port}");
        return IsFull ? null : new IPEndPoint(Ours.Address, Ours.Port == 0 ? port : Ours.Port);
    }

    public void Drain(int port) => Asked.Add($"drain {port}");

    public bool IsPeer(Leg leg, IPAddress address) => Peers(address);

    public void Close()
    {
        Asked.Add("close");
        IsOpen = false;
        OnClose();
    }
}
