using KeepAlive.Core;

namespace KeepAlive.App.Events;

/// <summary>What happens in the daemon, told to everyone who shows or keeps it.</summary>
/// <param name="listeners">Told from any thread, one call at a time per flow only; each must be quick and not throw.</param>
internal sealed class DaemonEvents(params IReadOnlyList<Action<ToldEvent>> listeners)
{
    public void Tell(ToldEvent e)
    {
        foreach (Action<ToldEvent> listener in listeners) listener(e);
    }

    /// <summary>Something that is no flow's.</summary>
    /// <param name="kind">What happened.</param>
    /// <param name="name">To which gateway or policy; null for none.</param>
    /// <param name="text">In words.</param>
    public void Tell(string kind, string? name, string text) => Tell(new FactTold(kind, name, text));

    /// <summary>Something that concerns several gateways.</summary>
    public void Tell(FlowEvent e) => Tell(new FlowTold(e, null));

    /// <summary>For the events of one gateway.</summary>
    public Action<FlowEvent> For(string gateway) => e => Tell(new FlowTold(e, gateway));
}
