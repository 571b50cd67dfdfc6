using KeepAlive.Core;
using KeepAlive.Protocols;

namespace KeepAlive.Tests.Protocols;

/// <summary>
/// The law of every protocol: both ends get exactly the bytes of a plain relay, however they come, and whatever is probed in
/// between; ours go only where nothing is half-sent, and answers to ours go nowhere.
/// </summary>
public sealed class ProtocolLawTests
{
    private const int Fragmentations = 1000;

    // What the noise of the fuzz is made of beside bytes by chance.
    private const int NoiseSessions = 3000;

    public static TheoryData<string> Names => [.. ProtocolCases.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Whole_byte_by_byte_and_in_1000_fragmentations(string name)
    {
        ProtocolCase @case = ProtocolCases.All.Single(c => c.Name == name);
        int sent = 0, answered = 0;
        foreach (bool probes in (bool[])[false, true])
        {
            ProtocolPlay.Run(@case, 1, piecesMax: int.MaxValue, probes);
            ProtocolPlay.Run(@case, 2, piecesMax: 1, probes);
            for (int seed = 1; seed <= Fragmentations; seed++)
            {
                ProtocolPlay play = ProtocolPlay.Run(@case, seed, piecesMax: 1 + (seed % 97), probes);
                sent += play.Sent;
                answered += play.Answered;
            }
        }

        Assert.Equal(@case.IsProbed, sent > 0);
        Assert.Equal(@case.IsProbed && @case.IsAnswered, answered > 0);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Noise_never_throws_and_is_never_kept(string name)
    {
        ProtocolCase @case = ProtocolCases.All.Single(c => c.Name == name);
        for (int seed = 1; seed <= NoiseSessions; seed++)
        {
            var random = new Random(seed);
            Protocol protocol = @case.New((uint)seed);
            Instant now = Instant.Zero + TimeSpan.FromHours(1);
            long[] said = new long[2], got = new long[2];
            int probes = 0;
            var verdicts = new Verdicts();
            // Led into the session before it is misled.
            int sane = random.Next(@case.Messages.Count + 1);
            for (int i = 0; i < sane + 20; i++)
            {
                Leg from = i < sane ? @case.Messages[i].From : (Leg)random.Next(2);
                byte[] bytes = i < sane ? @case.Messages[i].Bytes : Noise(@case, random);
                for (int patience = 0; protocol.IsHolding(from) && patience < 10; patience++)
                {
                    now = Instant.Max(now, protocol.Deadline);
                    protocol.OnDeadline(now, verdicts);
                }

                protocol.OnReceived(from, bytes, now, verdicts);
                said[(int)from] += bytes.Length;
                if (random.Next(3) == 0 && !protocol.IsPlain) probes += Forget(protocol.TryProbe((Leg)random.Next(2), now, Scratch(verdicts, got)), verdicts);
                Count(verdicts, got);
                // Held are a message's first bytes, or what came behind one that waits.
                Assert.InRange(said[(int)from] - got[(int)from.Other()], 0, 80_000);
            }

            foreach (Leg leg in (Leg[])[Leg.Downstream, Leg.Upstream]) protocol.OnEnded(leg, verdicts);
            Count(verdicts, got);
            // Noise may look like an answer.
            Assert.InRange(said[0] - got[1], 0, protocol.CanProbe(Leg.Downstream) ? probes * @case.UnmarkedAnswerBytes : 0);
            Assert.InRange(said[1] - got[0], 0, probes * @case.UnmarkedAnswerBytes);
        }
    }

    private static byte[] Noise(ProtocolCase @case, Random random)
    {
        byte[] bytes = [.. @case.Messages[random.Next(@case.Messages.Count)].Bytes];
        switch (random.Next(4))
        {
            case 0:
                bytes = new byte[random.Next(1, 40)];
                random.NextBytes(bytes);
                break;
            case 1:
                bytes[random.Next(Math.Min(bytes.Length, 16))] = (byte)random.Next(256);
                break;
            case 2:
                bytes = bytes[..random.Next(1, bytes.Length + 1)];
                break;
        }

        return bytes;
    }

    private static void Count(Verdicts verdicts, long[] got)
    {
        got[0] += verdicts.BytesFor(Leg.Downstream).Length;
        got[1] += verdicts.BytesFor(Leg.Upstream).Length;
        verdicts.Clear();
    }

    // What was said so far is counted; a probe's bytes are not.
    private static Verdicts Scratch(Verdicts verdicts, long[] got)
    {
        Count(verdicts, got);
        return verdicts;
    }

    private static int Forget(ProbeAttempt attempt, Verdicts verdicts)
    {
        Assert.False(string.IsNullOrEmpty(attempt.Text));
        verdicts.Clear();
        return attempt.Outcome == ProbeOutcome.Withheld ? 0 : 1;
    }
}
