using System.Net;
using KeepAlive.App.Connections;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Core;

namespace KeepAlive.App.Live;

/// <summary>
/// Counts silences of a flow's own that outlasted what its path was measured to allow, while the flow lived on: without
/// keepalive a middlebox would have forgotten it.
/// </summary>
/// <param name="flows">Which there are.</param>
/// <param name="tell">Told of each such silence once, with the gateway and the leg whose path it is.</param>
internal sealed class SavedBindings(LiveFlows flows, Action<string, Leg> tell)
{
    // What was measured changes by hand, or by tuning in hours.
    private static readonly TimeSpan RereadEvery = TimeSpan.FromMinutes(1);

    private PathStore _store = PathStore.Default;
    private MeasuredPaths _paths = new([]);
    private TimeSpan _least = TimeSpan.MaxValue;
    private Instant _reread;
    private Dictionary<(long Flow, Leg Leg), Instant> _saved = [];

    /// <summary>What is known of paths, from the next look on.</summary>
    public void Use(PathStore store) => (_store, _reread) = (store, Instant.Zero);

    /// <summary>Looks at every flow; costs nothing where no path is known to end flows.</summary>
    public void Look(Instant now)
    {
        if (now >= _reread) Reread(now);
        if (_least == TimeSpan.MaxValue) return;
        flows.Refresh(now);
        var saved = new Dictionary<(long, Leg), Instant>();
        foreach (LiveFlow flow in flows.Find(f => f.EndedAt is null && f.State is LiveFlowState.Alive or LiveFlowState.Probing && now - f.Relayed > _least))
        {
            foreach ((Leg leg, string end) in ((Leg, string)[])[(Leg.Downstream, flow.Client), (Leg.Upstream, flow.Server)])
            {
                if (!IPEndPoint.TryParse(end, out IPEndPoint? remote) || _paths.To(remote) is not { Ends: true } path || now - flow.Relayed <= path.Survived) continue;
                saved[(flow.Id, leg)] = flow.Relayed;
                if (!_saved.TryGetValue((flow.Id, leg), out Instant before) || before != flow.Relayed) tell(flow.Gateway, leg);
            }
        }

        _saved = saved;
    }

    private void Reread(Instant now)
    {
        _reread = now + RereadEvery;
        try
        {
            IReadOnlyList<PathRecord> records = _store.Read();
            PathRecord[] ending = [.. records.Where(r => r.Finding.High is not null)];
            (_paths, _least) = (new MeasuredPaths(records), ending.Length == 0 ? TimeSpan.MaxValue : ending.Min(r => r.Finding.Low));
        }
        catch (MachineException)
        {
            // Told where it is used to keep flows alive; a count can wait.
        }
    }
}
