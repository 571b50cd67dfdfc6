using System.Net;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Protocols;

/// <summary>Data connections that open at once, at fixed addresses.</summary>
internal sealed class FixedDataPaths : IDataPaths
{
    public static readonly IPAddress Client = IPAddress.Parse("192.0.2.1");

    public List<int> Drained { get; } = [];

    public int Opened { get; private set; }

    public int Closed { get; private set; }

    public bool Refuse { get; set; }

    public bool IsOpen { get; set; }

    public IPEndPoint? Open(Leg from, int port)
    {
        Opened++;
        return Refuse ? null : new IPEndPoint(IPAddress.Parse(from == Leg.Downstream ? "198.51.100.7" : "198.51.100.8"), 40000 + (port % 1000));
    }

    public void Drain(int port) => Drained.Add(port);

    public bool IsPeer(Leg leg, IPAddress address) => address.Equals(Client);

    public void Close() => Closed++;
}

/// <summary>A protocol with its two ends' views, as the relay would carry them out.</summary>
internal sealed class FtpBench
{
    private readonly Verdicts _verdicts = new();

    public FtpBench(FtpOptions? options = null, FtpServer? server = null, uint seed = 1) =>
        Protocol = new FtpProtocol(options ?? new FtpOptions(), server ?? new FtpServer(), Data, Now, seed);

    public FtpProtocol Protocol { get; }

    public FixedDataPaths Data { get; } = new();

    public Instant Now { get; set; } = Instant.Zero + TimeSpan.FromHours(1);

    public MemoryStream ToServer { get; } = new();

    public MemoryStream ToClient { get; } = new();

    public List<Note> Notes { get; } = [];

    public string ServerSaw => Encoding.Latin1.GetString(ToServer.ToArray());

    public string ClientSaw => Encoding.Latin1.GetString(ToClient.ToArray());

    public void Client(string text) => Receive(Leg.Downstream, Encoding.Latin1.GetBytes(text));

    public void Server(string text) => Receive(Leg.Upstream, Encoding.Latin1.GetBytes(text));

    public void Receive(Leg from, ReadOnlySpan<byte> bytes)
    {
        Protocol.OnReceived(from, bytes, Now, _verdicts);
        CarryOut();
    }

    public void End(Leg from)
    {
        Protocol.OnEnded(from, _verdicts);
        CarryOut();
    }

    public ProbeAttempt Probe()
    {
        ProbeAttempt attempt = Protocol.TryProbe(Leg.Upstream, Now, _verdicts);
        CarryOut();
        return attempt;
    }

    public void Deadline()
    {
        Protocol.OnDeadline(Now, _verdicts);
        CarryOut();
    }

    /// <summary>Greeting and login.</summary>
    public FtpBench LogIn()
    {
        Server("220 ready\r\n");
        Client("USER u\r\n");
        Server("331 password\r\n");
        Client("PASS p\r\n");
        Server("230 in\r\n");
        ToServer.SetLength(0);
        ToClient.SetLength(0);
        return this;
    }

    private void CarryOut()
    {
        ToServer.Write(_verdicts.BytesFor(Leg.Upstream));
        ToClient.Write(_verdicts.BytesFor(Leg.Downstream));
        Notes.AddRange(_verdicts.Notes);
        _verdicts.Clear();
    }
}
