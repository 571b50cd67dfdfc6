using KeepAlive.Core;
using KeepAlive.Protocols;

namespace KeepAlive.Tests.Protocols;

/// <summary>A message of a session as it stands on the wire: after it, nothing of its direction is half-sent.</summary>
internal sealed record WireMessage(Leg From, byte[] Bytes)
{
    public static WireMessage Client(params byte[] bytes) => new(Leg.Downstream, bytes);

    public static WireMessage Server(params byte[] bytes) => new(Leg.Upstream, bytes);

    public static WireMessage Client(string text) => new(Leg.Downstream, [.. text.Select(c => (byte)c)]);

    public static WireMessage Server(string text) => new(Leg.Upstream, [.. text.Select(c => (byte)c)]);
}

/// <summary>A session of a protocol, and how its ends answer our probes.</summary>
/// <param name="Name">For people.</param>
/// <param name="New">A fresh protocol.</param>
/// <param name="Messages">What the ends say, in this order.</param>
/// <param name="Answer">What the end of this leg says to a probe; null for nothing.</param>
/// <param name="IsPlainAtEnd">Whether the session ends as a plain relay.</param>
internal sealed record ProtocolCase(string Name, Func<uint, Protocol> New, IReadOnlyList<WireMessage> Messages, Func<Leg, byte[], byte[]?> Answer, bool IsPlainAtEnd = false)
{
    /// <summary>How long an answer is that can be told from others only by its turn; 0 where answers have a mark of ours.</summary>
    public int UnmarkedAnswerBytes { get; init; }

    /// <summary>Whether our probes are answered.</summary>
    public bool IsAnswered { get; init; } = true;

    /// <summary>Whether it is probed at all.</summary>
    public bool IsProbed { get; init; } = true;

    public override string ToString() => Name;
}

/// <summary>
/// A session played through a protocol in pieces, with probes tried between them. The law is checked on the way: both ends get
/// exactly each other's bytes, ours go only between messages, answers to ours go nowhere.
/// </summary>
internal sealed class ProtocolPlay
{
    // Each answer is in pieces, too, with probes in between.
    private const int OpenMax = 2;
    private const int LongPiece = 16 * 1024;

    private readonly ProtocolCase _case;
    private readonly Random _random;
    private readonly bool _probes;
    private readonly Protocol _protocol;
    private readonly Verdicts _verdicts = new();
    private readonly Side _client = new();
    private readonly Side _server = new();
    private Instant _now = SessionBench.Start;

    // One end: what it has said, what it got of the other's, and what it still has to say to probes of ours.
    private sealed class Side
    {
        public MemoryStream Said { get; } = new();

        public MemoryStream Got { get; } = new();

        public HashSet<long> Boundaries { get; } = [0];

        public Queue<byte[]> Answers { get; } = [];
    }

    private ProtocolPlay(ProtocolCase @case, int seed, bool probes)
    {
        (_case, _random, _probes) = (@case, new Random(seed), probes);
        _protocol = @case.New((uint)seed);
    }

    /// <summary>Probes that went out.</summary>
    public int Sent { get; private set; }

    /// <summary>Answers that were told of.</summary>
    public int Answered { get; private set; }

    public static ProtocolPlay Run(ProtocolCase @case, int seed, int piecesMax, bool probes)
    {
        var play = new ProtocolPlay(@case, seed, probes);
        for (int i = 0; i < @case.Messages.Count;)
        {
            Leg from = @case.Messages[i].From;
            play.SayAnswers(from.Other(), piecesMax);
            if (play._random.Next(2) == 0) play.SayAnswers(from, piecesMax);
            List<byte> chunk = [.. play.TakeAnswers(from)];
            do play.Begin(@case.Messages[i], chunk);
            while (++i < @case.Messages.Count && @case.Messages[i].From == from && play._random.Next(2) == 0);
            play.Say(from, [.. chunk], piecesMax);
        }

        play.SayAnswers(Leg.Downstream, piecesMax);
        play.SayAnswers(Leg.Upstream, piecesMax);
        play.End();
        return play;
    }

    // Of what is known to come the end is a boundary already: nothing is half-sent once it is all there.
    private void Begin(WireMessage message, List<byte> chunk)
    {
        Side side = Of(message.From);
        side.Said.Write(message.Bytes);
        side.Boundaries.Add(side.Said.Length);
        chunk.AddRange(message.Bytes);
    }

    private void Say(Leg from, byte[] bytes, int piecesMax)
    {
        for (int at = 0; at < bytes.Length;)
        {
            // Long messages are not only of little pieces, or they would take all the time there is.
            int most = piecesMax > 1 && _random.Next(4) == 0 ? LongPiece : piecesMax;
            int length = piecesMax == int.MaxValue ? bytes.Length - at : Math.Min(bytes.Length - at, 1 + _random.Next(most));
            WaitWhileHolding(from);
            _now += TimeSpan.FromMilliseconds(_random.Next(5));
            _protocol.OnReceived(from, bytes.AsSpan(at, length), _now, _verdicts);
            CarryOut();
            at += length;
            if (_probes && Of(Leg.Upstream).Answers.Count + Of(Leg.Downstream).Answers.Count < OpenMax && _random.Next(2) == 0) Probe(_random.Next(2) == 0 ? Leg.Upstream : Leg.Downstream);
        }
    }

    private void SayAnswers(Leg from, int piecesMax) => Say(from, [.. TakeAnswers(from)], piecesMax);

    private IEnumerable<byte> TakeAnswers(Leg from)
    {
        while (Of(from).Answers.TryDequeue(out byte[]? answer))
            foreach (byte b in answer) yield return b;
    }

    private void WaitWhileHolding(Leg from)
    {
        for (int i = 0; _protocol.IsHolding(from); i++)
        {
            Assert.True(i < 10, "held for ever");
            Assert.NotEqual(Instant.Never, _protocol.Deadline);
            _now = Instant.Max(_now, _protocol.Deadline);
            _protocol.OnDeadline(_now, _verdicts);
            CarryOut();
        }
    }

    private void Probe(Leg towards)
    {
        if (!_protocol.CanProbe(towards)) return;
        ProbeAttempt attempt = _protocol.TryProbe(towards, _now, _verdicts);
        byte[] ours = _verdicts.BytesFor(towards).ToArray();
        Assert.Equal(attempt.Outcome != ProbeOutcome.Withheld, ours.Length > 0);
        Assert.True(_verdicts.BytesFor(towards.Other()).IsEmpty, "a probe says something to the other end");
        Assert.False(string.IsNullOrEmpty(attempt.Text));
        if (ours.Length > 0)
        {
            Side peer = Of(towards);
            Assert.True(Of(towards.Other()).Boundaries.Contains(peer.Got.Length), $"{_case}: {attempt.Text} in the middle of a message");
            Sent++;
            if (_case.Answer(towards, ours) is { } answer) peer.Answers.Enqueue(answer);
        }

        _verdicts.Clear();
    }

    private void End()
    {
        WaitWhileHolding(Leg.Downstream);
        Assert.Equal(_case.IsPlainAtEnd, _protocol.IsPlain);
        foreach (Leg leg in (Leg[])[Leg.Downstream, Leg.Upstream])
        {
            if (!_protocol.IsPlain) _protocol.OnEnded(leg, _verdicts);
            CarryOut();
        }

        Assert.Equal(_client.Said.ToArray(), _server.Got.ToArray());
        Assert.Equal(_server.Said.ToArray(), _client.Got.ToArray());
    }

    private void CarryOut()
    {
        _server.Got.Write(_verdicts.BytesFor(Leg.Upstream));
        _client.Got.Write(_verdicts.BytesFor(Leg.Downstream));
        Answered += _verdicts.Notes.Count(n => n.Kind == FlowEventKind.ProbeAnswered);
        _verdicts.Clear();
    }

    private Side Of(Leg leg) => leg == Leg.Downstream ? _client : _server;
}
