using KeepAlive.Core;
using KeepAlive.Protocols;

namespace KeepAlive.Tests.Protocols;

/// <summary>A protocol with its two ends' views, led message by message.</summary>
internal sealed class SessionBench(Protocol protocol)
{
    public static readonly Instant Start = Instant.Zero + TimeSpan.FromHours(1);

    private readonly Verdicts _verdicts = new();

    public Protocol Protocol { get; } = protocol;

    public Instant Now { get; set; } = Start;

    public MemoryStream ToServer { get; } = new();

    public MemoryStream ToClient { get; } = new();

    public List<Note> Notes { get; } = [];

    /// <summary>Says some messages of a session.</summary>
    public SessionBench Say(params IEnumerable<WireMessage> messages)
    {
        foreach (WireMessage message in messages)
        {
            Protocol.OnReceived(message.From, message.Bytes, Now, _verdicts);
            CarryOut();
        }

        return this;
    }

    /// <summary>Tries a probe: what became of it, and its bytes.</summary>
    public (ProbeAttempt Attempt, byte[] Bytes) Probe(Leg towards = Leg.Upstream)
    {
        ProbeAttempt attempt = Protocol.TryProbe(towards, Now, _verdicts);
        byte[] bytes = _verdicts.BytesFor(towards).ToArray();
        CarryOut();
        return (attempt, bytes);
    }

    /// <summary>Demands that none is sent now, for this reason.</summary>
    public SessionBench AssertWithheld(string why, Leg towards = Leg.Upstream)
    {
        (ProbeAttempt attempt, byte[] bytes) = Probe(towards);
        Assert.Equal((ProbeOutcome.Withheld, why, 0), (attempt.Outcome, attempt.Text, bytes.Length));
        return this;
    }

    /// <summary>Demands that one is sent now.</summary>
    public SessionBench AssertProbed(Leg towards = Leg.Upstream)
    {
        (ProbeAttempt attempt, byte[] bytes) = Probe(towards);
        Assert.True(attempt.Outcome != ProbeOutcome.Withheld, attempt.Text);
        Assert.NotEmpty(bytes);
        return this;
    }

    public SessionBench End(Leg from)
    {
        Protocol.OnEnded(from, _verdicts);
        CarryOut();
        return this;
    }

    public void Deadline()
    {
        Protocol.OnDeadline(Now, _verdicts);
        CarryOut();
    }

    private void CarryOut()
    {
        ToServer.Write(_verdicts.BytesFor(Leg.Upstream));
        ToClient.Write(_verdicts.BytesFor(Leg.Downstream));
        Notes.AddRange(_verdicts.Notes);
        _verdicts.Clear();
    }
}
