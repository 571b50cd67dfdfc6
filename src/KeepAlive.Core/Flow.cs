namespace KeepAlive.Core;

/// <summary>
/// What is known of one TCP connection through a relay: when each leg was last heard, and how much it said.
/// Told by the pumps, one store a fact; read by anyone.
/// </summary>
/// <param name="id">Unique within the process, from 1.</param>
/// <param name="opened">When the client was accepted.</param>
internal sealed class Flow(long id, Instant opened)
{
    private LegFacts _downstream = new(opened);
    private LegFacts _upstream = new(opened);

    /// <summary>Unique within the process, from 1.</summary>
    public long Id { get; } = id;

    /// <summary>When the client was accepted.</summary>
    public Instant Opened { get; } = opened;

    /// <summary>Bytes came from a leg's peer.</summary>
    public void OnReceived(Leg leg, int bytes, Instant now)
    {
        ref LegFacts facts = ref Facts(leg);
        facts.LastReceived = now;
        facts.Received += bytes;
    }

    /// <summary>How long a leg's peer has sent nothing.</summary>
    public TimeSpan Silence(Leg leg, Instant now) => now - Facts(leg).LastReceived;

    /// <summary>Bytes a leg's peer has sent.</summary>
    public long Received(Leg leg) => Facts(leg).Received;

    private ref LegFacts Facts(Leg leg) => ref leg == Leg.Downstream ? ref _downstream : ref _upstream;

    private struct LegFacts(Instant opened)
    {
        public Instant LastReceived = opened;
        public long Received;
    }
}
