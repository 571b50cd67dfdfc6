using KeepAlive.App.Gateways;
using KeepAlive.Core;
using KeepAlive.Gateway;

namespace KeepAlive.App.Events;

/// <summary>Something that happened, to be shown or kept: on stdout, in the journal, on the page, in metrics.</summary>
internal abstract record ToldEvent
{
    private static readonly DateTimeOffset Origin = DateTimeOffset.Now - (MonotonicClock.Now - Instant.Zero);

    /// <summary>When it happened.</summary>
    public abstract Instant At { get; }

    /// <summary>What happened, as in <c>probe-sent</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>When by the wall clock, as it stood at the start of the program.</summary>
    public DateTimeOffset Time => TimeOf(At);

    /// <summary>A moment by the same wall clock.</summary>
    public static DateTimeOffset TimeOf(Instant at) => Origin + (at - Instant.Zero);
}

/// <summary>Something that happened to a flow.</summary>
/// <param name="Event">What.</param>
/// <param name="Gateway">By the gateway of this name; null where there is only one.</param>
internal sealed record FlowTold(FlowEvent Event, string? Gateway) : ToldEvent
{
    public override Instant At => Event.At;

    public override string Kind => EventText.KindName(Event.Kind);
}

/// <summary>Something that is no flow's.</summary>
/// <param name="What">What happened, in one word.</param>
/// <param name="Name">To which gateway or policy; null for none.</param>
/// <param name="Text">In words.</param>
internal sealed record FactTold(string What, string? Name, string Text) : ToldEvent
{
    public override string Kind => What;

    public override Instant At { get; } = MonotonicClock.Now;
}

/// <summary>A gateway is ready.</summary>
/// <param name="Gateway">Its name; null where there is only one.</param>
/// <param name="Listen">Where it accepts.</param>
/// <param name="To">The server.</param>
/// <param name="Protocol">What its flows speak.</param>
/// <param name="Tcp">Kernel keepalive of both legs.</param>
/// <param name="Probe">The protocol's own probes.</param>
internal sealed record ListeningTold(string? Gateway, string Listen, string To, string Protocol, TcpChoice Tcp, KeepAliveSpec Probe) : ToldEvent
{
    public override Instant At { get; } = MonotonicClock.Now;

    public override string Kind => "listening";

    /// <summary>Whether it listened before, with another policy, and its living flows have this one, too.</summary>
    public bool IsForLiving { get; init; }
}
