using KeepAlive.App.Events;
using KeepAlive.App.Live;
using KeepAlive.Core;
using KeepAlive.Fleet;
using KeepAlive.Gateway;

namespace KeepAlive.App.Fleet;

/// <summary>What the daemon tells the fleet of itself.</summary>
internal sealed class FleetDigests(LiveState live)
{
    private static readonly LiveFlowState[] Counted = [LiveFlowState.Opening, LiveFlowState.Alive, LiveFlowState.Probing, LiveFlowState.Dead];

    private readonly DateTimeOffset _started = DateTimeOffset.FromUnixTimeMilliseconds(live.StartedAt);
    private long _deaths;

    /// <summary>Counts.</summary>
    public void OnTold(ToldEvent told)
    {
        if (told is FlowTold { Event: { Kind: FlowEventKind.Died, Reason: not DeathReason.Stopped } }) Interlocked.Increment(ref _deaths);
    }

    /// <summary>As it stands.</summary>
    public MachineDigest Read()
    {
        Instant now = MonotonicClock.Now;
        live.Flows.Refresh(now);
        live.Flows.RefreshKernelProbes(now);
        int[] states = live.Flows.CountStates();
        var worst = new List<(LiveFlow Flow, WorstFlow Told)>();
        LiveFlow[] found = live.Flows.Find(f => f.State is LiveFlowState.Probing or LiveFlowState.Dead);
        live.Flows.Each(found, flow => worst.Add((flow, Of(flow, now))));
        return new MachineDigest
        {
            Machine = "", // the membership's to say
            Version = ProgramVersion.Text,
            Started = _started,
            Gateways = live.Gateways.All.Count(g => !g.IsEnding),
            Flows = Counted.Where(state => states[(int)state] > 0).ToDictionary(LiveFlowJson.StateName, state => states[(int)state]),
            Deaths = Interlocked.Read(ref _deaths),
            Worst = [.. worst.OrderByDescending(w => w.Flow.State).ThenByDescending(w => w.Told.Unanswered).Take(MachineDigest.WorstMax).Select(w => w.Told)],
        };
    }

    // Silence in whole seconds, and not at all of the dead: a digest that changes by itself is written again and again.
    private static WorstFlow Of(LiveFlow flow, Instant now)
    {
        TimeSpan silence = flow.State == LiveFlowState.Dead ? flow.OpenedAt - flow.OpenedAt : now - Instant.Min(flow.ClientHeard, flow.ServerHeard);
        return new WorstFlow(flow.Gateway, flow.Client, flow.Server, LiveFlowJson.StateName(flow.State), Math.Floor(silence.TotalSeconds), Math.Max(flow.Unanswered, flow.KernelUnanswered));
    }
}
