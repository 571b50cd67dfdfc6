using KeepAlive.Core;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Simulation;

/// <summary>
/// Thousands of seeded sessions in virtual time, each run twice: with probes and without. A failing seed is named, and
/// plays the same again.
/// </summary>
public sealed class FtpSimulation
{
    private const int Seeds = 1500;
    private static readonly KeepAlivePolicy Policy = new(TimeSpan.FromSeconds(3), 3, TimeSpan.FromSeconds(2));

    [Theory]
    [InlineData(FtpServerKind.Immediate)]
    [InlineData(FtpServerKind.Error)]
    [InlineData(FtpServerKind.Deferred)]
    [InlineData(FtpServerKind.Silent)]
    public void The_client_sees_what_it_would_have_seen_without_us(FtpServerKind kind)
    {
        int injected = 0;
        for (int seed = 1; seed <= Seeds; seed++)
        {
            FtpSession with = Play(seed, kind, Policy), without = Play(seed, kind, null);
            string where = $"{kind}, seed {seed}";
            Assert.True(without.Finished, $"{where}: the session does not end even without us");
            Assert.True(with.Finished && !with.GaveUp, $"{where}: the session hangs; the client saw\n{with.ClientSaw}\nnotes\n{string.Join('\n', with.Notes)}");
            Assert.True(without.ClientSaw.ToString() == with.ClientSaw.ToString(), $"{where}: the client saw\n{with.ClientSaw}\ninstead of\n{without.ClientSaw}");
            Assert.True(without.Server.Commands.SequenceEqual(with.Server.Commands), $"{where}: the server got other commands");
            Assert.True(with.Server.Violations.Count == 0, $"{where}: {string.Join(", ", with.Server.Violations)}");
            // Two round trips of 40 ms at most; a server that never answers costs the time until PWD sets it straight, once.
            TimeSpan patience = kind == FtpServerKind.Silent ? FtpProtocol.HoldMax + TimeSpan.FromMilliseconds(100) : TimeSpan.FromMilliseconds(100);
            Assert.True(with.LongestHold <= patience, $"{where}: a command was held for {with.LongestHold}");
            injected += with.Server.Injected;
        }

        Assert.True(injected > Seeds, $"only {injected} probes in {Seeds} sessions: the simulation shows nothing");
    }

    [Fact]
    public void A_server_that_stops_answering_is_found_within_the_detection_time()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            FtpSession session = new(seed, FtpServerKind.Immediate, Policy, pipelining: false);
            session.World.Run(TimeSpan.FromSeconds(20 + (seed % 40)));
            session.Server.Hung = true;
            Instant hung = session.World.Now;
            while (!session.GaveUp && !session.Finished && session.World.Now - hung < TimeSpan.FromMinutes(3)) session.World.Run(TimeSpan.FromSeconds(1));
            if (!session.GaveUp) continue; // in a state where no probe may go: the kernel's keepalive is what finds it there
            Assert.True(session.World.Now - hung <= Policy.DetectionTime + TimeSpan.FromSeconds(1.1) + TimeSpan.FromSeconds(40), $"seed {seed}: found after {session.World.Now - hung}");
        }
    }

    private static FtpSession Play(int seed, FtpServerKind kind, KeepAlivePolicy? policy)
    {
        var session = new FtpSession(seed, kind, policy, pipelining: seed % 2 == 0);
        session.Run();
        return session;
    }
}
