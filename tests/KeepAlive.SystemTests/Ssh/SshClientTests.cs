using KeepAlive.Protocols.Ssh;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ssh;

/// <summary>Our SSH client with OpenSSH's server and with ProFTPD's mod_sftp: each algorithm, each login, their keepalives answered and ours answered by them.</summary>
public sealed class SshClientTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static TheoryData<string, string, string, string> Algorithms => new()
    {
        { "ecdh-sha2-nistp256", "ecdsa-sha2-nistp256", "aes256-gcm@openssh.com", "hmac-sha2-256" },
        { "ecdh-sha2-nistp384", "rsa-sha2-512", "aes128-gcm@openssh.com", "hmac-sha2-256" },
        { "ecdh-sha2-nistp256", "rsa-sha2-256", "aes128-ctr", "hmac-sha2-256-etm@openssh.com" },
        { "ecdh-sha2-nistp384", "ecdsa-sha2-nistp256", "aes192-ctr", "hmac-sha2-512-etm@openssh.com" },
        { "ecdh-sha2-nistp256", "ecdsa-sha2-nistp256", "aes256-ctr", "hmac-sha2-256" },
        { "ecdh-sha2-nistp256", "ecdsa-sha2-nistp256", "aes256-ctr", "hmac-sha2-512" },
    };

    [Fact]
    public async Task OpenSSH_speaks_every_algorithm_and_rekeys()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work, "RekeyLimit 2K");
        foreach (var row in Algorithms)
        {
            (string kex, string host, string cipher, string mac) = row.Data;
            var offer = new SshOffer { KeyExchanges = [kex], HostKeys = [host], Ciphers = [cipher], Macs = [mac] };
            await using LabSshClient client = await LabSshClient.DialAsync(lab, RealSshServer.OpenSshPort, o => o with
            {
                Offer = offer,
                Password = RealSshServer.Password,
                RekeyAfterBytes = 4096,
                KeepAlive = new SshKeepAlive(60, TimeSpan.FromMilliseconds(20)),
            });
            await client.WaitForAsync(SshEventKind.KeysExchanged, 4, Patience);
            await client.WaitForAsync(SshEventKind.ProbeAnswered, 50, Patience);
            Assert.Equal(1, client.Count(SshEventKind.ChannelOpened));
        }
    }

    [Fact]
    public async Task ProFTPD_exchanges_keys_anew()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess proftpd = await RealSshServer.ProFtpdAsync(lab, work);
        foreach (string cipher in (string[])["aes256-ctr", "aes128-ctr"])
        {
            await using LabSshClient client = await LabSshClient.DialAsync(lab, RealSshServer.ProFtpdPort, o => o with
            {
                Offer = SshOffer.Default with { Ciphers = [cipher] },
                Password = RealSshServer.Password,
                RekeyAfterBytes = 4096,
                KeepAlive = new SshKeepAlive(60, TimeSpan.FromMilliseconds(50)),
            });
            await client.WaitForAsync(SshEventKind.KeysExchanged, 4, TimeSpan.FromSeconds(30));
            int answered = client.Count(SshEventKind.ProbeAnswered);
            await client.WaitForAsync(SshEventKind.ProbeAnswered, answered + 5, Patience);
        }
    }

    [Fact]
    public async Task A_user_s_key_and_the_server_s_fingerprint()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work, "PasswordAuthentication no");
        Assert.True(SshPrivateKey.TryParsePem(await File.ReadAllTextAsync(work.File("user")), out SshPrivateKey? key, out string? fault), fault);
        string printed = (await ChildProcess.RunAsync(["ssh-keygen", "-l", "-f", work.File("host-ecdsa.pub")])).Split(' ')[1];
        await using LabSshClient client = await LabSshClient.DialAsync(lab, RealSshServer.OpenSshPort, o => o with { Key = key }, printed);
        await client.WaitForAsync(SshEventKind.ChannelOpened, 1, Patience);
        await using LabSshClient wary = await LabSshClient.DialAsync(lab, RealSshServer.OpenSshPort, o => o with { Key = key }, "SHA256:another");
        Assert.Equal(SshReason.HostKeyNotVerifiable, (await wary.Ended.WaitAsync(Patience)).Reason);
        await using LabSshClient guest = await LabSshClient.DialAsync(lab, RealSshServer.OpenSshPort, o => o with { Password = RealSshServer.Password });
        Assert.Equal(SshReason.NoMoreAuthMethods, (await guest.Ended.WaitAsync(Patience)).Reason);
    }

    /// <summary>Silent but for the server's keepalives, which a client that does not answer would not survive: ProFTPD's gives up after 8 s, OpenSSH's after 8.</summary>
    [Fact]
    public async Task Their_keepalives_are_answered()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work, "ClientAliveInterval 2", "ClientAliveCountMax 3");
        await using ChildProcess proftpd = await RealSshServer.ProFtpdAsync(lab, work, "SFTPClientAlive 3 2");
        var clients = new List<LabSshClient>();
        foreach (int port in (int[])[RealSshServer.OpenSshPort, RealSshServer.ProFtpdPort])
        {
            foreach (string? subsystem in (string?[])["sftp", null])
                clients.Add(await LabSshClient.DialAsync(lab, port, o => o with { Password = RealSshServer.Password, Subsystem = subsystem }));
        }

        await Task.WhenAll(clients.Select(c => c.WaitForAsync(SshEventKind.ProbeHeard, 6, TimeSpan.FromSeconds(40))));
        foreach (LabSshClient client in clients)
        {
            Assert.False(client.Ended.IsCompleted, client.Transcript);
            await client.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(SshKeepAlive.OpenSshName)]
    [InlineData(SshKeepAlive.ProFtpdName)]
    public async Task Ours_are_answered_by_both_and_find_a_path_that_swallows_everything(string name)
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work);
        await using ChildProcess proftpd = await RealSshServer.ProFtpdAsync(lab, work);
        var clients = new List<LabSshClient>();
        foreach (int port in (int[])[RealSshServer.OpenSshPort, RealSshServer.ProFtpdPort])
        {
            foreach (string? subsystem in (string?[])["sftp", null])
                clients.Add(await LabSshClient.DialAsync(lab, port, o => o with { Password = RealSshServer.Password, Subsystem = subsystem, KeepAlive = new SshKeepAlive(3, Second, name) }));
        }

        await Task.WhenAll(clients.Select(c => c.WaitForAsync(SshEventKind.ProbeAnswered, 12, TimeSpan.FromSeconds(30))));
        long swallowed = System.Diagnostics.Stopwatch.GetTimestamp();
        await lab.SwallowEverythingAsync();
        foreach (LabSshClient client in clients)
        {
            SshEnd end = await client.Ended.WaitAsync(Patience);
            Assert.Equal((SshReason.ByApplication, true), (end.Reason, end.IsOurs));
            Assert.StartsWith("dead: nothing came for 3", end.Text, StringComparison.Ordinal);
            await client.DisposeAsync();
        }

        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(swallowed), 1.5 * Second, 6 * Second);
    }

    [Fact]
    public async Task A_silent_session_dies_behind_a_NAT_without_and_lives_with()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work);
        await using LabSshClient silent = await LabSshClient.DialAsync(lab, RealSshServer.OpenSshPort, o => o with { Password = RealSshServer.Password, KeepAlive = new SshKeepAlive(2, TimeSpan.FromSeconds(12)) });
        await using LabSshClient kept = await LabSshClient.DialAsync(lab, RealSshServer.OpenSshPort, o => o with { Password = RealSshServer.Password, KeepAlive = new SshKeepAlive(3, TimeSpan.FromSeconds(4)) });
        await kept.WaitForAsync(SshEventKind.ProbeAnswered, 6, TimeSpan.FromSeconds(40)); // 24 s, three times what the NAT remembers
        SshEnd end = await silent.Ended.WaitAsync(Patience);
        Assert.StartsWith("dead: nothing came for 24", end.Text, StringComparison.Ordinal); // its first word came after 12 s, to nobody
        Assert.Equal(0, silent.Count(SshEventKind.ProbeAnswered));
        Assert.False(kept.Ended.IsCompleted);
    }
}
