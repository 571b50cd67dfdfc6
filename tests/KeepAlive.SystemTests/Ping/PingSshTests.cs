using System.Globalization;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Ssh;

namespace KeepAlive.SystemTests.Ping;

/// <summary><c>keepalive ping ssh://</c> and <c>sftp://</c> of OpenSSH's sshd and of ProFTPD's mod_sftp: alive and frozen, host keys, logins.</summary>
public sealed class PingSshTests
{
    private static readonly string[] Brief = ["--count", "2", "--interval", "100ms"];

    [Fact]
    public async Task Alive_and_hung_are_told_apart()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using WorkFolder sshWork = new(), ftpWork = new();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, sshWork), proftpd = await RealSshServer.ProFtpdAsync(lab, ftpWork);
        string[] trust = ["--known-hosts", sshWork.File("known"), "--accept-new"];
        string ssh = $"{lab.Server.Address}:{RealSshServer.OpenSshPort}", ftp = $"{lab.Server.Address}:{RealSshServer.ProFtpdPort}";
        // One after the other for each server, as each freezes it.
        async Task<string> BothAsync(string at, string user, ChildProcess server, string name)
        {
            string whole = await PingProcess.FateAsync(lab, $"ssh://{user}@{at}", RealSshServer.Password, server.Id, trust);
            string channel = await PingProcess.FateAsync(lab, $"sftp://{user}@{at}", RealSshServer.Password, server.Id, [.. trust, "--ssh-name", name]);
            return whole == channel ? whole : $"{whole}; by a channel {channel}";
        }

        await Outcomes.AssertAsync(() => $"{sshd.Transcript}\n{proftpd.Transcript}",
            ("sshd", BothAsync(ssh, "root", sshd, "proftpd"), PingProcess.GoodFate),
            ("ProFTPD", BothAsync(ftp, "kat", proftpd, "openssh"), PingProcess.GoodFate));
    }

    [Fact]
    public async Task A_host_key_is_recorded_only_where_that_was_asked_for_and_a_changed_one_never()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work);
        string known = work.File("known"), name = $"[{lab.Server.Address}]:{RealSshServer.OpenSshPort}";
        async Task<ChildProcess> PingAsync(string file, params string[] options)
        {
            ChildProcess ping = await PingProcess.StartAsync(lab, $"ssh://root@{lab.Server.Address}:{RealSshServer.OpenSshPort}", RealSshServer.Password, ["--known-hosts", file, .. Brief, .. options]);
            await PingProcess.OutcomeAsync(ping);
            return ping;
        }

        async Task<string> OutcomeAsync(string file, params string[] options)
        {
            await using ChildProcess ping = await PingAsync(file, options);
            return await PingProcess.OutcomeAsync(ping);
        }

        string fingerprint = (await ChildProcess.RunAsync(["ssh-keygen", "-l", "-f", work.File("host-ecdsa.pub")])).Split(' ')[1];
        await using ChildProcess unknown = await PingAsync(known);
        Assert.Equal("strange 1", await PingProcess.OutcomeAsync(unknown));
        Assert.Contains(fingerprint, unknown.Lines[^1], StringComparison.Ordinal);
        Assert.Contains("--accept-new records it", unknown.Lines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(known));

        Assert.Equal("alive 0", await OutcomeAsync(known, "--accept-new"));
        Assert.Equal("alive 0", await OutcomeAsync(known));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(known));
        Assert.Contains(name, await ChildProcess.RunAsync(["ssh-keygen", "-F", name, "-f", known]), StringComparison.Ordinal); // OpenSSH reads what was written
        await ChildProcess.RunAsync(["ssh-keygen", "-H", "-f", known]);
        Assert.DoesNotContain(name, await File.ReadAllTextAsync(known), StringComparison.Ordinal);
        Assert.Equal("alive 0", await OutcomeAsync(known));

        // Of two kinds that the server has, the one that is known is asked for.
        await File.WriteAllTextAsync(known, $"{name} {await File.ReadAllTextAsync(work.File("host-rsa.pub"))}");
        Assert.Equal("alive 0", await OutcomeAsync(known));

        // Another server's keys; without an end of the last line.
        string changed = $"{name} {(await File.ReadAllTextAsync(work.File("user.pub"))).Trim()}";
        await File.WriteAllTextAsync(known, changed);
        await using ChildProcess refused = await PingAsync(known, "--accept-new");
        Assert.Equal("strange 1", await PingProcess.OutcomeAsync(refused));
        Assert.Contains("somebody may be in between", refused.Lines[^1], StringComparison.Ordinal);
        Assert.Equal(changed, await File.ReadAllTextAsync(known));

        await File.WriteAllTextAsync(known, $"@revoked * {await File.ReadAllTextAsync(work.File("host-ecdsa.pub"))}");
        Assert.Equal("strange 1", await OutcomeAsync(known, "--accept-new"));
        await File.WriteAllTextAsync(known, $"another.example {(await File.ReadAllTextAsync(work.File("host-rsa.pub"))).Trim()}");
        Assert.Equal("alive 0", await OutcomeAsync(known, "--accept-new"));
        Assert.Equal(2, (await File.ReadAllLinesAsync(known)).Length);
    }

    [Fact]
    public async Task Ssh_s_own_file_is_read_where_none_is_named()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work);
        await File.WriteAllTextAsync(Path.Combine(work.Folder(".ssh"), "known_hosts"), $"{lab.Server.Address},[{lab.Server.Address}]:{RealSshServer.OpenSshPort} {await File.ReadAllTextAsync(work.File("host-rsa.pub"))}");
        await using ChildProcess ping = await lab.Client.StartAsync(
            [Path.Combine(Repository.Root, "keepalive"), "ping", $"ssh://{lab.Server.Address}:{RealSshServer.OpenSshPort}", "--json", "--identity", work.File("user"), .. Brief],
            environment: new Dictionary<string, string> { ["HOME"] = work.Path });
        Assert.Equal("alive 0", await PingProcess.OutcomeAsync(ping)); // as whoever runs it: root here, and in the key's file there
        Assert.Contains("SSH-2.0-OpenSSH", ping.Lines[0], StringComparison.Ordinal);
        Assert.Contains("\"answered\":2", ping.Lines[^1], StringComparison.Ordinal);
    }

    /// <summary>Several that meet a new key at once record it whole, and once.</summary>
    [Fact]
    public async Task Many_at_once_record_one_line()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work);
        string known = Path.Combine(work.Path, "ssh", "known"); // the folder is not there yet
        string url = $"ssh://root@{lab.Server.Address}:{RealSshServer.OpenSshPort}";
        await Outcomes.AssertAsync(() => sshd.Transcript, [.. Enumerable.Range(1, 5).Select(i =>
            (i.ToString(CultureInfo.InvariantCulture), PingProcess.OutcomeAsync(lab, url, RealSshServer.Password, ["--known-hosts", known, "--accept-new", .. Brief]), "alive 0"))]);
        Assert.Single(await File.ReadAllLinesAsync(known));
    }

    [Fact]
    public async Task Logins_by_key_and_who_is_not_let_in()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work);
        foreach (string kind in (string[])["ecdsa", "rsa", "ed25519"])
            await ChildProcess.RunAsync(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", work.File($"own-{kind}")]); // in OpenSSH's own format
        await RealSshServer.KeyAsync(work.File("stranger"), "ecdsa");
        await File.AppendAllLinesAsync(work.File("user.pub"), [await File.ReadAllTextAsync(work.File("own-ecdsa.pub")), await File.ReadAllTextAsync(work.File("own-rsa.pub"))]);
        await ChildProcess.RunAsync(["cp", work.File("own-rsa"), work.File("open")]);
        File.SetUnixFileMode(work.File("open"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        string url = $"ssh://root@{lab.Server.Address}:{RealSshServer.OpenSshPort}";
        string[] options = ["--known-hosts", work.File("known"), "--accept-new", .. Brief];
        Task<string> ByKeyAsync(string file) => PingProcess.OutcomeAsync(lab, url, null, [.. options, "--identity", work.File(file)]);
        await using ChildProcess wrong = await PingProcess.StartAsync(lab, url, "hunter2", options), encrypted = await PingProcess.StartAsync(lab, url, null, [.. options, "--identity", work.File("own-ed25519")]);
        await using ChildProcess readable = await PingProcess.StartAsync(lab, url, null, [.. options, "--identity", work.File("open")]);
        await Outcomes.AssertAsync(() => sshd.Transcript,
            ("PEM, ECDSA", ByKeyAsync("user"), "alive 0"),
            ("OpenSSH's format, ECDSA", ByKeyAsync("own-ecdsa"), "alive 0"),
            ("OpenSSH's format, RSA", ByKeyAsync("own-rsa"), "alive 0"),
            ("a stranger's key", ByKeyAsync("stranger"), "alive 0"),
            ("a wrong password", PingProcess.OutcomeAsync(wrong), "alive 0"));
        Assert.Contains("it answers, but lets us no further: the server does not let 'root' in", wrong.Lines[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", wrong.Transcript, StringComparison.Ordinal);
        foreach (ChildProcess misused in (ChildProcess[])[encrypted, readable])
        {
            await misused.WaitForExitAsync(TimeSpan.FromSeconds(20));
            Assert.Equal(2, misused.ExitCode);
        }

        Assert.Contains("ssh-ed25519, which is not spoken here", encrypted.Transcript, StringComparison.Ordinal);
        Assert.Contains("chmod 600", readable.Transcript, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_longer_than_the_binding_lasts_is_told()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work);
        TimeSpan binding = LabOptions.Default.BindingTimeout;
        Task<string> AfterAsync(TimeSpan silence) => PingProcess.OutcomeAsync(lab, $"sftp://root@{lab.Server.Address}:{RealSshServer.OpenSshPort}", RealSshServer.Password,
            ["--known-hosts", work.File("known"), "--accept-new", .. Brief, "--idle", $"{silence.TotalSeconds}"]);
        await Outcomes.AssertAsync(() => sshd.Transcript, ("longer", AfterAsync(binding * 1.5), "dead 1"), ("shorter", AfterAsync(binding / 2), "alive 0"));
    }

    /// <summary>A server with an Ed25519 key alone, as many have: no session can be had, and it lives.</summary>
    [Fact]
    public async Task A_server_whose_keys_are_not_spoken_answers()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess sshd = await RealSshServer.OpenSshAsync(lab, work, "HostKeyAlgorithms ssh-ed25519", $"HostKey {work.File("host-ed25519")}");
        await using ChildProcess ping = await PingProcess.StartAsync(lab, $"ssh://root@{lab.Server.Address}:{RealSshServer.OpenSshPort}", null, "--known-hosts", work.File("known"));
        Assert.Equal("alive 0", await PingProcess.OutcomeAsync(ping));
        Assert.Contains("no host key in common: the server has ssh-ed25519", ping.Lines[^1], StringComparison.Ordinal);
    }
}
