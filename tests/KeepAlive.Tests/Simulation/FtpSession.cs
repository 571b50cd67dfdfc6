using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;
using KeepAlive.Tests.Protocols;

namespace KeepAlive.Tests.Simulation;

/// <summary>
/// One client, one server and the protocol between them, driven as the gateway drives it. The client's session is made
/// from a seed and is the same whether we probe or not.
/// </summary>
internal sealed class FtpSession
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(10);

    private readonly World _world = new();
    private readonly Verdicts _verdicts = new();
    private readonly FixedDataPaths _data = new();
    private readonly FtpProtocol _protocol;
    private readonly Wire _toServer;
    private readonly Wire _toClient;
    private readonly Wire _fromClient;
    private readonly Queue<byte[]> _heldBack = new();
    private readonly StringBuilder _reply = new();
    private readonly Queue<(TimeSpan Think, string Command, int Finals)> _script;
    private int _awaited = 1; // the greeting
    private Probe _probe;
    private readonly bool _probes;

    public FtpSession(int seed, FtpServerKind kind, KeepAlivePolicy? policy, bool pipelining)
    {
        var script = new Random(seed);
        var network = new Random(seed + 1);
        var transfers = new Random(seed + 2);
        var fromServer = new Wire(_world, network, Delay, bytes => Arrive(Leg.Upstream, bytes));
        Server = new SimulatedFtpServer(_world, kind, () => TimeSpan.FromSeconds(transfers.NextDouble() * 40), text => fromServer.Send(Encoding.Latin1.GetBytes(text + "\r\n")));
        _toServer = new Wire(_world, network, Delay, Server.Receive);
        _toClient = new Wire(_world, network, Delay, ClientReceive);
        _fromClient = new Wire(_world, network, Delay, ArriveFromClient);
        _protocol = new FtpProtocol(new FtpOptions(), Known, _data, _world.Now, (uint)seed);
        _probes = policy is not null;
        _probe = new Probe(policy ?? KeepAlivePolicy.Default, ProbeQuestion.PeerAlive, _world.Now, script.NextDouble());
        _script = Script(script, pipelining, kind);
        fromServer.Send("220 ready\r\n"u8);
        if (_probes) Rearm();
    }

    public SimulatedFtpServer Server { get; }

    public FtpServer Known { get; } = new();

    public StringBuilder ClientSaw { get; } = new();

    public bool Finished => _script.Count == 0 && _awaited == 0;

    public bool GaveUp { get; private set; }

    public TimeSpan LongestHold { get; private set; }

    public List<Note> Notes { get; } = [];

    public World World => _world;

    public void Run() => _world.Run(TimeSpan.FromHours(2));

    private static Queue<(TimeSpan, string, int)> Script(Random random, bool pipelining, FtpServerKind kind)
    {
        var script = new Queue<(TimeSpan, string, int)>();
        void Step(string command, int finals = 1, double think = 0) => script.Enqueue((TimeSpan.FromSeconds(think), command, finals));
        Step("user u");
        Step("pass p");
        for (int i = random.Next(3, 10); i > 0; i--)
        {
            double think = random.Next(3) == 0 ? random.NextDouble() * 40 : random.NextDouble();
            switch (random.Next(8))
            {
                case 0: Step("cwd a", think: think); break;
                case 1: Step("rnfr a", think: think); Step("rnto b", think: random.NextDouble() * 20); break;
                case 2: Step("fail x", think: think); break;
                case 3 when pipelining: Step("size a\r\nsize b\r\nfail c", 3, think); break;
                case 4 when kind == FtpServerKind.Immediate:
                    Step("pasv", think: think);
                    Step("retr f\r\nnoop", 2); // a client with a keepalive of its own, while the transfer runs
                    break;
                case 5:
                    Step("pasv", think: think);
                    Step("stor f", think: random.NextDouble() * 10);
                    break;
                case 6: Step("rest 5", think: think); Step("pasv"); Step("retr f", think: random.NextDouble() * 10); break;
                default: Step("pasv", think: think); Step("retr f"); break;
            }
        }

        return script;
    }

    // The client: sends its next command when every reply it waits for is there.
    private void ClientReceive(byte[] bytes)
    {
        foreach (char c in Encoding.Latin1.GetString(bytes))
        {
            ClientSaw.Append(c);
            _reply.Append(c);
            if (c != '\n') continue;
            string line = _reply.ToString();
            _reply.Clear();
            if (line[3] == ' ' && char.IsDigit(line[0]) && line[0] != '1') Answered();
        }
    }

    private void Answered()
    {
        if (--_awaited > 0 || !_script.TryDequeue(out (TimeSpan Think, string Command, int Finals) step)) return;
        _awaited = step.Finals;
        _world.In(step.Think, () => _fromClient.Send(Encoding.Latin1.GetBytes(step.Command + "\r\n")));
    }

    // The gateway: reads no more from a client that is held.
    private void ArriveFromClient(byte[] bytes)
    {
        if (_heldBack.Count > 0 || _protocol.IsHolding(Leg.Downstream)) _heldBack.Enqueue(bytes);
        else Arrive(Leg.Downstream, bytes);
    }

    private void Arrive(Leg from, byte[] bytes)
    {
        if (GaveUp) return;
        if (from == Leg.Upstream) _probe.OnReceived(_world.Now);
        bool held = _protocol.IsHolding(Leg.Downstream);
        Instant since = _world.Now;
        _protocol.OnReceived(from, bytes, _world.Now, _verdicts);
        CarryOut();
        if (!held && _protocol.IsHolding(Leg.Downstream)) _holdSince = since;
        if (held && !_protocol.IsHolding(Leg.Downstream) && _world.Now - _holdSince > LongestHold) LongestHold = _world.Now - _holdSince;
        while (!_protocol.IsHolding(Leg.Downstream) && _heldBack.TryDequeue(out byte[]? more)) Arrive(Leg.Downstream, more);
        if (_probes) Rearm();
    }

    private Instant _holdSince;

    private void Rearm() => _world.At(Instant.Min(_probe.Deadline, _protocol.Deadline), OnDeadline);

    private void OnDeadline()
    {
        Instant now = _world.Now;
        if (GaveUp || now < Instant.Min(_probe.Deadline, _protocol.Deadline)) return;
        _protocol.OnDeadline(now, _verdicts);
        switch (_probe.OnDeadline(now))
        {
            case ProbeEffect.SendProbe:
                ProbeAttempt attempt = _protocol.TryProbe(Leg.Upstream, now, _verdicts);
                if (attempt.Outcome == ProbeOutcome.Sent) _probe.OnProbeSent(now);
                else if (attempt.Outcome == ProbeOutcome.Refreshed) _probe.OnRefreshSent(now);
                else _probe.OnWithheld(now);
                break;
            case ProbeEffect.GiveUp:
                GaveUp = true;
                return;
        }

        CarryOut();
        if (!Finished) Rearm();
    }

    private void CarryOut()
    {
        _toServer.Send(_verdicts.BytesFor(Leg.Upstream));
        _toClient.Send(_verdicts.BytesFor(Leg.Downstream));
        Notes.AddRange(_verdicts.Notes);
        _verdicts.Clear();
    }
}
