using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Simulation;

/// <summary>What the relay does with a protocol and the upstream leg's probe, in virtual time.</summary>
internal sealed class SimulatedRelay
{
    private readonly VirtualTime _time;
    private readonly bool _probes;
    private readonly Verdicts _verdicts = new();
    private readonly Queue<byte[]> _fromClient = new();
    private Probe _probe;
    private Instant _wake = Instant.Never;
    private Instant _heldSince = Instant.Never;
    private long _received;
    private long _given;

    public SimulatedRelay(VirtualTime time, FtpOptions options, FtpServer server, KeepAlivePolicy policy, SimulatedData data, bool probes, uint seed)
    {
        (_time, _probes) = (time, probes);
        Protocol = new FtpProtocol(options, server, data, time.Now, seed);
        _probe = new Probe(policy, ProbeQuestion.PeerAlive, time.Now);
    }

    public FtpProtocol Protocol { get; }

    public Action<byte[]> ToClient { get; set; } = _ => { };

    public Action<byte[]> ToServer { get; set; } = _ => { };

    public List<Note> Notes { get; } = [];

    public List<string> Faults { get; } = [];

    public Instant LastHeard { get; private set; }

    public Instant GaveUp { get; private set; } = Instant.Never;

    public TimeSpan HeldLongest { get; private set; }

    public int ProbesSent { get; private set; }

    public int OwedMost { get; private set; }

    /// <summary>How many bytes the client shall have been given once so many came from the server; null when that is not exact.</summary>
    public Func<long, long?> Meant { get; set; } = _ => null;

    /// <summary>Takes the story of the session, to read a failing one.</summary>
    public Action<string>? Tell { get; set; }

    public void OnServerBytes(byte[] bytes)
    {
        if (GaveUp != Instant.Never) return;
        LastHeard = _time.Now;
        _received += bytes.Length;
        _probe.OnReceived(_time.Now);
        Protocol.OnReceived(Leg.Upstream, bytes, _time.Now, _verdicts);
        if (Protocol is { Owed: 0, IsPlain: false } && Protocol.IsHolding(Leg.Downstream)) Faults.Add("a command is held though nothing is owed");
        CarryOut();
        if (Meant(_received) is { } meant && meant != _given) Faults.Add($"{_given} bytes given to the client instead of {meant}: a reply waits");
    }

    public void OnClientBytes(byte[] bytes)
    {
        _fromClient.Enqueue(bytes);
        Feed();
    }

    private void Feed()
    {
        while (GaveUp == Instant.Never && !Protocol.IsHolding(Leg.Downstream) && _fromClient.TryDequeue(out byte[]? bytes))
        {
            Protocol.OnReceived(Leg.Downstream, bytes, _time.Now, _verdicts);
            CarryOut(feed: false);
        }

        Arm();
    }

    private void CarryOut(bool feed = true)
    {
        if (Tell is not null) TellOf(Tell);
        byte[] up = _verdicts.BytesFor(Leg.Upstream).ToArray();
        byte[] down = _verdicts.BytesFor(Leg.Downstream).ToArray();
        Notes.AddRange(_verdicts.Notes);
        _verdicts.Clear();
        if (up.Length > 0)
        {
            _probe.OnSent(_time.Now);
            ToServer(up);
        }

        if (down.Length > 0) ToClient(down);
        _given += down.Length;
        OwedMost = Math.Max(OwedMost, Protocol.Owed);
        bool holds = Protocol.IsHolding(Leg.Downstream);
        if (holds && _heldSince == Instant.Never) _heldSince = _time.Now;
        if (!holds && _heldSince != Instant.Never)
        {
            HeldLongest = TimeSpan.FromTicks(Math.Max(HeldLongest.Ticks, (_time.Now - _heldSince).Ticks));
            _heldSince = Instant.Never;
        }

        if (feed) Feed();
    }

    private void TellOf(Action<string> tell)
    {
        foreach (Note note in _verdicts.Notes) tell($"{_time.Now}  {note.Kind} {note.Text}");
        foreach (Leg leg in Enum.GetValues<Leg>())
            if (_verdicts.BytesFor(leg).Length > 0) tell($"{_time.Now}  {leg}: {Encoding.Latin1.GetString(_verdicts.BytesFor(leg)).TrimEnd()}");
    }

    private void Arm()
    {
        Instant due = GaveUp == Instant.Never ? Instant.Min(_probes ? _probe.Deadline : Instant.Never, Protocol.Deadline) : Instant.Never;
        if (due >= _wake) return;
        _wake = due;
        _time.At(due, Wake);
    }

    private void Wake()
    {
        if (_time.Now < _wake) return;
        _wake = Instant.Never;
        if (Protocol.Deadline <= _time.Now)
        {
            Protocol.OnDeadline(_time.Now, _verdicts);
            if (Protocol.Deadline <= _time.Now) Faults.Add("OnDeadline left its deadline behind");
            CarryOut();
        }

        if (_probes) OnProbeDeadline();
        Arm();
    }

    private void OnProbeDeadline()
    {
        switch (_probe.OnDeadline(_time.Now))
        {
            case ProbeEffect.GiveUp:
                GaveUp = _time.Now;
                break;
            case ProbeEffect.SendProbe:
                ProbeAttempt attempt = Protocol.TryProbe(Leg.Upstream, _time.Now, _verdicts);
                Tell?.Invoke($"{_time.Now}  {attempt}");
                if (attempt.Outcome == ProbeOutcome.Withheld) _probe.OnWithheld(_time.Now);
                else ProbesSent++;
                if (attempt.Outcome == ProbeOutcome.Sent) _probe.OnProbeSent(_time.Now);
                if (attempt.Outcome == ProbeOutcome.Refreshed) _probe.OnRefreshSent(_time.Now);
                CarryOut();
                break;
        }
    }
}
