using KeepAlive.Core;
using KeepAlive.Protocols;

namespace KeepAlive.Gateway;

/// <summary>
/// A flow whose protocol is watched, and kept alive by its own probes.
/// </summary>
/// <remarks>
/// <code>
/// Wire ─ bytes ─▶ Protocol ─ Verdicts ─▶ Wire.Send                       under the flow's monitor
/// FlowClock ─ deadline ─▶ Probe ─ effect ─▶ Protocol.TryProbe ──▲
/// </code>
/// </remarks>
internal sealed class InspectedRelay : FlowRelay
{
    // One a thread: nothing is in them between two calls, but their buffers are.
    [ThreadStatic]
    private static Verdicts? t_verdicts;

    private readonly DataConnections _data;
    private Protocol? _protocol;
    private Probe _probe;
    private bool _probes;
    private string? _withheld;

    // Whether the protocol held a leg's bytes back when last asked, a bit each.
    private int _held;

    public InspectedRelay(Flow flow, FlowSetting setting)
        : base(flow, setting) => _data = new DataConnections(this, setting);

    /// <summary>Ends both legs and all data connections at once, with a reset.</summary>
    public override void Abort(string why)
    {
        base.Abort(why);
        _data.Close(); // also when it had died before
    }

    public override void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now)
    {
        if (IsDead) return;
        Verdicts verdicts = Fresh();
        if (from == Leg.Upstream) _probe.OnReceived(now);
        _protocol!.OnReceived(from, bytes, now, verdicts);
        if (!verdicts.BytesFor(Leg.Upstream).IsEmpty) _probe.OnSent(now);
        CarryOut(verdicts);
    }

    public override bool IsHolding(Leg from) => _protocol!.IsHolding(from);

    public override void OnEnded(Leg from)
    {
        if (!IsDead && !_protocol!.IsPlain)
        {
            Verdicts verdicts = Fresh();
            _protocol.OnEnded(from, verdicts);
            CarryOut(verdicts);
        }

        base.OnEnded(from);
    }

    protected override void Start(Instant now)
    {
        uint seed = (uint)Random.Shared.Next();
        _protocol = Setting.NewProtocol!(_data, now, seed);
        _probes = Setting.Options.Probe.IsOn;
        if (_probes) _probe = new Probe(Setting.Options.Probe.Policy ?? KeepAlivePolicy.Default, ProbeQuestion.PeerAlive, now, Random.Shared.NextDouble());
        Wire!.Start(isPlain: false);
    }

    protected override Instant DeadlineOf() => Instant.Min(_protocol!.Deadline, _probes && !_protocol.IsPlain ? _probe.Deadline : Instant.Never);

    protected override void OnDeadlineOf(Instant now)
    {
        Verdicts verdicts = Fresh();
        _protocol!.OnDeadline(now, verdicts);
        switch (_probes && !_protocol.IsPlain ? _probe.OnDeadline(now) : ProbeEffect.None)
        {
            case ProbeEffect.SendProbe:
                SendProbe(now, verdicts);
                break;
            case ProbeEffect.GiveUp:
                Die(Leg.Upstream, $"{_probe.Unanswered} probes in a row unanswered");
                return;
        }

        CarryOut(verdicts);
    }

    protected override void LookAtData(Instant now) => _data.Look(Setting.KeepAlive.SendBound, now);

    // A transfer may outlive its control connection; one whose control connection died does not.
    protected override void Finish()
    {
        _probes = false;
        Task ended = _data.FinishAsync(); // first: nothing is opened behind the back of what follows
        if (IsDead) _data.Close();
        if (ended.IsCompleted) base.Finish();
        else _ = FinishAsync(ended);
    }

    private async Task FinishAsync(Task ended)
    {
        await ended.ConfigureAwait(false);
        lock (this) base.Finish();
    }

    // Whatever a fault left in them is not this flow's.
    private static Verdicts Fresh()
    {
        t_verdicts ??= new Verdicts();
        t_verdicts.Clear();
        return t_verdicts;
    }

    private void SendProbe(Instant now, Verdicts verdicts)
    {
        ProbeAttempt attempt = ClientProven(now) is { } why
            ? new ProbeAttempt(ProbeOutcome.Withheld, why)
            : _protocol!.TryProbe(Leg.Upstream, now, verdicts);
        if (attempt.Outcome == ProbeOutcome.Sent) _probe.OnProbeSent(now);
        else if (attempt.Outcome == ProbeOutcome.Refreshed) _probe.OnRefreshSent(now);
        else _probe.OnWithheld(now);

        if (attempt.Outcome != ProbeOutcome.Withheld) verdicts.Note(FlowEventKind.ProbeSent, attempt.Text, Leg.Upstream);
        else if (attempt.Text != _withheld && !_protocol!.IsPlain) verdicts.Note(FlowEventKind.ProbeWithheld, attempt.Text, Leg.Upstream);
        _withheld = attempt.Outcome == ProbeOutcome.Withheld ? attempt.Text : null;
    }

    // Probing the server for a client that is gone would keep its session open for nobody (liveness laundered).
    private string? ClientProven(Instant now)
    {
        TimeSpan bound = (Setting.Options.Probe.Policy ?? KeepAlivePolicy.Default).DetectionTime;
        TimeSpan silence = Flow.Silence(Leg.Downstream, now);
        if (silence <= bound || _data.ProveClient(bound, now)) return null;
        if (Setting.Options.Tcp.IsOn && Wire!.Contact(Leg.Downstream) is not { UnansweredProbes: > 0 }) return null;
        return Setting.Options.Tcp.IsOn
            ? "the client leaves kernel keepalive unanswered"
            : $"the client has been silent for over {Duration.Format(bound)} and kernel keepalive, which could prove it alive, is off";
    }

    private void CarryOut(Verdicts verdicts)
    {
        foreach (Note note in verdicts.Notes)
            Setting.Emit(new FlowEvent(Flow.Id, MonotonicClock.Now, note.Kind, note.Text) { Leg = note.Leg, Took = note.Took });
        Wire!.Send(Leg.Downstream, verdicts.BytesFor(Leg.Downstream), 0);
        Wire.Send(Leg.Upstream, verdicts.BytesFor(Leg.Upstream), verdicts.UrgentUpTo);
        verdicts.Clear();
        if (_protocol!.IsPlain) Wire.BecomePlain();
        int held = (_protocol.IsHolding(Leg.Downstream) ? 1 : 0) | (_protocol.IsHolding(Leg.Upstream) ? 2 : 0);
        if ((_held & ~held) != 0) Wire.Resume();
        _held = held;
        Rearm();
    }
}
