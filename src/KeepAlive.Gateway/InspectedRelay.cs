using System.Net;
using KeepAlive.Core;
using KeepAlive.Protocols;

namespace KeepAlive.Gateway;

/// <summary>
/// A flow whose protocol is watched, and kept alive by its own probes.
/// </summary>
/// <remarks>
/// <code>
/// Wire ─ bytes ─▶ Protocol ─ Verdicts ─▶ Wire.Send                       under the flow's monitor
/// FlowClock ─ deadline ─▶ LegProbe, one a leg ─ effect ─▶ Protocol.TryProbe ──▲
/// </code>
/// </remarks>
internal sealed class InspectedRelay : FlowRelay
{
    // One a thread: nothing is in them between two calls, but their buffers are.
    [ThreadStatic]
    private static Verdicts? t_verdicts;

    private readonly DataConnections _data;
    private Protocol? _protocol;
    private LegProbe? _toDownstream;
    private LegProbe? _toUpstream;

    // Since when both ends have had nothing to say to each other.
    private Instant _relayed;

    // Whether the protocol held a leg's bytes back when last asked, a bit each.
    private int _held;

    // The control connection is over; its transfers may not be.
    private bool _isFinished;

    public InspectedRelay(Flow flow, FlowSetting setting)
        : base(flow, setting) => (_relayed, _data) = (flow.Opened, new DataConnections(this, setting));

    protected override Instant Relayed => _protocol is { IsPlain: true } ? base.Relayed : _relayed;

    protected override int Unanswered => Math.Max(_toDownstream?.Machine.Unanswered ?? 0, _toUpstream?.Machine.Unanswered ?? 0);

    /// <summary>Ends both legs and all data connections at once, with a reset.</summary>
    public override void Abort(DeathReason reason, string why)
    {
        base.Abort(reason, why);
        _data.Close(); // also when it had died before
    }

    public override void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now)
    {
        if (IsDead) return;
        Verdicts verdicts = Fresh();
        (from == Leg.Downstream ? _toDownstream : _toUpstream)?.Machine.OnReceived(now);
        _protocol!.OnReceived(from, bytes, now, verdicts);
        if (!verdicts.BytesFor(from.Other()).IsEmpty) _relayed = now;
        if (!verdicts.BytesFor(Leg.Downstream).IsEmpty) _toDownstream?.Machine.OnSent(now);
        if (!verdicts.BytesFor(Leg.Upstream).IsEmpty) _toUpstream?.Machine.OnSent(now);
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

    protected override void Announce(IPAddress client) => _data.Announced = Wire.Plain(client);

    protected override void Start(Instant now)
    {
        uint seed = (uint)Random.Shared.Next();
        _protocol = Setting.NewProtocol!(_data, now, seed);
        _toUpstream = NewProbe(Leg.Upstream, Setting.KeepAlive.Policy.Probe, now, now);
        _toDownstream = NewProbe(Leg.Downstream, Setting.KeepAlive.Policy.ClientProbe, now, now);
        Wire!.Start(isPlain: false);
    }

    protected override Instant DeadlineOf() => _protocol!.IsPlain ? _protocol.Deadline
        : Instant.Min(_protocol.Deadline, Instant.Min(_toDownstream?.Machine.Deadline ?? Instant.Never, _toUpstream?.Machine.Deadline ?? Instant.Never));

    protected override void OnDeadlineOf(Instant now)
    {
        Verdicts verdicts = Fresh();
        _protocol!.OnDeadline(now, verdicts);
        Ask(Leg.Downstream, _toDownstream, now, verdicts);
        Ask(Leg.Upstream, _toUpstream, now, verdicts);
        if (!IsDead) CarryOut(verdicts);
    }

    protected override void LookAtData(Instant now) => _data.Look(Setting.KeepAlive.SendBound, now);

    protected override void Renewed(Instant now)
    {
        _data.Renew();
        if (_isFinished) return;
        _toUpstream = Renewed(_toUpstream, Leg.Upstream, Setting.KeepAlive.Policy.Probe, now);
        _toDownstream = Renewed(_toDownstream, Leg.Downstream, Setting.KeepAlive.Policy.ClientProbe, now);
    }

    // A transfer may outlive its control connection; one whose control connection died does not.
    protected override void Finish()
    {
        _isFinished = true;
        (_toDownstream, _toUpstream) = (null, null);
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

    private LegProbe? NewProbe(Leg towards, KeepAliveSpec spec, Instant heard, Instant now) => spec.IsOn && _protocol!.CanProbe(towards)
        ? new LegProbe { Machine = Probe.Begun(spec.Policy ?? KeepAlivePolicy.Default, ProbeQuestion.PeerAlive, heard, now, Random.Shared.NextDouble()) } : null;

    // What is known of the peer is kept; where it was not probed before, when it was heard is known all the same.
    private LegProbe? Renewed(LegProbe? probe, Leg towards, KeepAliveSpec spec, Instant now)
    {
        if (probe is null || !spec.IsOn) return NewProbe(towards, spec, now + (TimeSpan.Zero - Flow.Silence(towards, now)), now);
        probe.Machine = probe.Machine.With(spec.Policy ?? KeepAlivePolicy.Default, now);
        return probe;
    }

    private void Ask(Leg towards, LegProbe? probe, Instant now, Verdicts verdicts)
    {
        if (probe is null || _protocol!.IsPlain || IsDead) return;
        ProbeEffect effect = probe.Machine.OnDeadline(now);
        if (effect == ProbeEffect.SendProbe) SendProbe(towards, probe, now, verdicts);
        else if (effect == ProbeEffect.GiveUp) Die(towards, DeathReason.Unanswered, $"{probe.Machine.Unanswered} probes in a row unanswered");
    }

    private void SendProbe(Leg towards, LegProbe probe, Instant now, Verdicts verdicts)
    {
        ProbeAttempt attempt = towards == Leg.Upstream && ClientProven(now) is { } why
            ? new ProbeAttempt(ProbeOutcome.Withheld, why)
            : _protocol!.TryProbe(towards, now, verdicts);
        if (attempt.Outcome == ProbeOutcome.Sent) probe.Machine.OnProbeSent(now);
        else if (attempt.Outcome == ProbeOutcome.Refreshed) probe.Machine.OnRefreshSent(now);
        else probe.Machine.OnWithheld(now);

        if (attempt.Outcome != ProbeOutcome.Withheld) verdicts.Note(FlowEventKind.ProbeSent, attempt.Text, towards);
        else if (attempt.Text != probe.Withheld && !_protocol!.IsPlain) verdicts.Note(FlowEventKind.ProbeWithheld, attempt.Text, towards);
        probe.Withheld = attempt.Outcome == ProbeOutcome.Withheld ? attempt.Text : null;
    }

    // Probing the server for a client that is gone would keep its session open for nobody (liveness laundered).
    private string? ClientProven(Instant now)
    {
        GatewayPolicy policy = Setting.KeepAlive.Policy;
        TimeSpan bound = (policy.Probe.Policy ?? KeepAlivePolicy.Default).DetectionTime;
        TimeSpan silence = Flow.Silence(Leg.Downstream, now);
        if (silence <= bound || _data.ProveClient(bound, now)) return null;
        if (policy.Tcp.IsOn && Wire!.Contact(Leg.Downstream) is not { UnansweredProbes: > 0 }) return null;
        return policy.Tcp.IsOn
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

    // The probes towards one leg. A field, as the machine is a mutable struct.
    private sealed class LegProbe
    {
        public Probe Machine;

        /// <summary>Why none was sent when last due: said once.</summary>
        public string? Withheld { get; set; }
    }
}
