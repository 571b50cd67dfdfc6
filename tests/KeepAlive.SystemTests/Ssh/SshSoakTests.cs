using System.Globalization;
using KeepAlive.Core;
using KeepAlive.Protocols.Ssh;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ssh;

/// <summary>
/// Our client held by OpenSSH's <c>ClientAliveInterval 2</c> and by ProFTPD's <c>SFTPClientAlive 3 2</c>, with a channel and without, and
/// probing both by both names, all at once; sshd exchanges keys anew meanwhile. <c>./soak ssh</c> does so for minutes.
/// </summary>
public sealed class SshSoakTests
{
    private static readonly TimeSpan TheirInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan OurInterval = TimeSpan.FromSeconds(1);

    // KEEPALIVE_SOAK_SSH is the script's.
    private static readonly TimeSpan Length = Duration.TryParse(Environment.GetEnvironmentVariable("KEEPALIVE_SOAK_SSH") ?? "15s", out TimeSpan length) ? length
        : throw new ArgumentException("KEEPALIVE_SOAK_SSH: give a duration, such as 3m");

    private sealed record Held(string Name, bool IsOurs, LabSshClient Client);

    [Fact]
    public async Task Both_ends_answer_each_probe_for_as_long_as_it_lasts()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work, $"ClientAliveInterval {TheirInterval.TotalSeconds}", "ClientAliveCountMax 3", "RekeyLimit default 30", "MaxStartups 100");
        await using ChildProcess proftpd = await RealSshServer.ProFtpdAsync(lab, work, $"SFTPClientAlive 3 {TheirInterval.TotalSeconds}");
        var all = new List<Held>();
        foreach ((string server, int port) in ((string, int)[])[("sshd", RealSshServer.OpenSshPort), ("ProFTPD", RealSshServer.ProFtpdPort)])
        {
            foreach (string? subsystem in (string?[])["sftp", null])
            {
                // Whoever probes sooner is the only one to probe: any packet is a sign of life.
                foreach (SshKeepAlive? ours in (SshKeepAlive?[])[null, new SshKeepAlive(10, OurInterval, SshKeepAlive.OpenSshName), new SshKeepAlive(10, OurInterval, SshKeepAlive.ProFtpdName)])
                {
                    string name = $"{server}, {(subsystem is null ? "no channel" : "a channel")}, {(ours is null ? "its probes" : $"ours, {ours.Name}")}";
                    all.Add(new Held(name, ours is not null, await LabSshClient.DialAsync(lab, port, o => o with { Password = RealSshServer.Password, Subsystem = subsystem, KeepAlive = ours })));
                }
            }
        }

        await Task.WhenAny([.. all.Select(held => held.Client.Ended), Task.Delay(Length)]);
        string report = string.Join('\n', all.Select(Told));
        TestContext.Current.TestOutputHelper?.WriteLine(report);
        foreach (Held held in all)
        {
            Assert.False(held.Client.Ended.IsCompleted, $"{held.Name} ended\n{report}\n{held.Client.Transcript}");
            int answered = held.Client.Count(held.IsOurs ? SshEventKind.ProbeAnswered : SshEventKind.ProbeHeard);
            // sshd takes up to two of its intervals from one probe to the next. A machine with much else to do is late, but not for ever:
            // two thirds of what fits.
            int least = (int)(Length / (held.IsOurs ? OurInterval : 2 * TheirInterval) * 2 / 3);
            Assert.True(answered >= least, $"{held.Name}: {answered} answered, not {least}\n{report}");
            if (held.IsOurs) Assert.InRange(held.Client.Count(SshEventKind.ProbeSent) - answered, 0, 1); // the last may be on its way
            await held.Client.DisposeAsync();
        }
    }

    private static string Told(Held held) => string.Create(CultureInfo.InvariantCulture, $"{held.Name}: {(held.IsOurs
        ? $"{held.Client.Count(SshEventKind.ProbeSent)} sent, {held.Client.Count(SshEventKind.ProbeAnswered)} answered"
        : $"{held.Client.Count(SshEventKind.ProbeHeard)} answered")} in {Duration.Format(Length)}, keys exchanged {held.Client.Count(SshEventKind.KeysExchanged)} times");
}
