using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using KeepAlive.Paths.Ssh;
using KeepAlive.Protocols.Ssh;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ssh;

/// <summary>OpenSSH's ssh and sftp with our SSH server, through a NAT that forgets after 8 s.</summary>
public sealed class SshServerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Ssh_and_sftp_are_held_by_their_own_keepalives_and_by_ours()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await RealSshServer.KeyAsync(work.File("user"), "rsa");
        Assert.True(SshPublicKey.TryParse(await File.ReadAllTextAsync(work.File("user.pub")), out SshPublicKey? user));
        await using Reflected silent = await Reflected.StartAsync(lab, null, login => user.Equals(login.Key));
        await using Reflected probing = await Reflected.StartAsync(lab, new SshKeepAlive(3, TimeSpan.FromSeconds(3), SshKeepAlive.ProFtpdName), _ => true);

        await using ChildProcess theirs = await SshAsync(lab, silent, "-i", work.File("user"), "-N", "-v", "-o", "ServerAliveInterval=2", "-o", "ServerAliveCountMax=3");
        await theirs.WaitForLineAsync(line => line.Contains($"Server host key: ecdsa-sha2-nistp256 {silent.Key.Public.Fingerprint}", StringComparison.Ordinal), Patience);
        await using ChildProcess ours = await SshAsync(lab, probing, "-N");
        await using ChildProcess sftp = await SftpAsync(lab, probing);
        await sftp.WaitForLineAsync(line => line.Contains("Remote working directory: /", StringComparison.Ordinal), Patience);

        await probing.WaitForAsync(SshEventKind.ProbeAnswered, 14, TimeSpan.FromSeconds(60)); // of two sessions, 3 s apart: 21 s at least
        await silent.WaitForAsync(SshEventKind.ProbeHeard, 10, TimeSpan.FromSeconds(40));
        Assert.True(theirs.IsRunning && ours.IsRunning && sftp.IsRunning, $"{theirs.Transcript}\n{ours.Transcript}\n{sftp.Transcript}\n{probing.Transcript}");
        Assert.Equal(0, probing.Count(SshEventKind.Died));
    }

    [Fact]
    public async Task A_client_that_a_black_hole_swallowed_is_found_within_count_times_interval()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using Reflected reflected = await Reflected.StartAsync(lab, new SshKeepAlive(3, TimeSpan.FromSeconds(1)), _ => true);
        await using ChildProcess ssh = await SshAsync(lab, reflected, "-N");
        await reflected.WaitForAsync(SshEventKind.ProbeAnswered, 3, Patience);
        await lab.SwallowEverythingAsync();
        long from = System.Diagnostics.Stopwatch.GetTimestamp();
        await reflected.WaitForAsync(SshEventKind.Died, 1, Patience);
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(from).TotalSeconds, 1.5, 4.5);
        Assert.Contains("dead: nothing came for 3", reflected.Transcript, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_are_exchanged_anew_when_a_client_begins_it()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using Reflected reflected = await Reflected.StartAsync(lab, new SshKeepAlive(3, TimeSpan.FromSeconds(2)), _ => true);
        // By bytes, and each second that something is said.
        await using ChildProcess ssh = await SshAsync(lab, reflected, "-N", "-v", "-o", "RekeyLimit=1K 1", "-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=3");
        await reflected.WaitForAsync(SshEventKind.KeysExchanged, 5, TimeSpan.FromSeconds(40));
        int heard = reflected.Count(SshEventKind.ProbeHeard);
        await reflected.WaitForAsync(SshEventKind.ProbeHeard, heard + 3, TimeSpan.FromSeconds(30)); // and goes on
        Assert.True(ssh.IsRunning, ssh.Transcript);
        Assert.Equal(0, reflected.Count(SshEventKind.Died));
    }

    [Fact]
    public async Task A_session_that_nobody_probes_is_lost_behind_the_NAT()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using Reflected reflected = await Reflected.StartAsync(lab, null, _ => true);
        await using ChildProcess ssh = await SshAsync(lab, reflected, "-N", "-o", "ServerAliveInterval=12", "-o", "ServerAliveCountMax=1");
        await reflected.WaitForAsync(SshEventKind.LoggedIn, 1, Patience);
        await ssh.WaitForExitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(255, ssh.ExitCode);
        Assert.Contains("not responding", ssh.Transcript, StringComparison.Ordinal);
        Assert.Equal(0, reflected.Count(SshEventKind.ProbeHeard)); // its first came too late
    }

    private static Task<ChildProcess> SshAsync(NetworkLab lab, Reflected server, params string[] options)
    {
        Requires.Programs("ssh");
        return lab.Client.StartAsync(["ssh", "-F", "none", .. Common, "-p", $"{server.Port}", .. options, $"kat@{lab.Server.Address}"]);
    }

    // A prompt that somebody sits at: its input stays open.
    private static Task<ChildProcess> SftpAsync(NetworkLab lab, Reflected server)
    {
        Requires.Programs("sftp");
        return lab.Client.StartAsync(["sh", "-c", "(echo pwd; exec sleep 1000) | exec sftp -F none \"$@\"", "sh", .. Common, "-P", $"{server.Port}", $"kat@{lab.Server.Address}"]);
    }

    private static readonly string[] Common =
        ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "GlobalKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "TCPKeepAlive=no", "-o", "IdentitiesOnly=yes"];

    /// <summary>Our server on the lab's server host, and what it told.</summary>
    private sealed class Reflected : IAsyncDisposable
    {
        private readonly ConcurrentQueue<(long Flow, SshEvent Event)> _seen = new();
        private readonly SemaphoreSlim _more = new(0);
        private SshReflector? _reflector;

        public SshPrivateKey Key { get; } = SshPrivateKey.Generate();

        public int Port => _reflector!.Listening.Port;

        public string Transcript => string.Join('\n', _seen);

        public int Count(SshEventKind kind) => _seen.Count(s => s.Event.Kind == kind);

        public static async Task<Reflected> StartAsync(NetworkLab lab, SshKeepAlive? keepAlive, Func<SshLogin, bool> letIn)
        {
            var reflected = new Reflected();
            reflected._reflector = await lab.Server.InsideAsync(() => SshReflector.Start(new SshReflectorOptions
            {
                Listen = new IPEndPoint(lab.Server.Address, 0),
                Server = new SshServerOptions { Random = RandomNumberGenerator.Fill, HostKeys = [reflected.Key], LetIn = letIn, KeepAlive = keepAlive },
            }, reflected.OnEvent));
            return reflected;
        }

        public async Task WaitForAsync(SshEventKind kind, int count, TimeSpan within)
        {
            long from = System.Diagnostics.Stopwatch.GetTimestamp();
            while (Count(kind) < count)
            {
                TimeSpan left = within - System.Diagnostics.Stopwatch.GetElapsedTime(from);
                Assert.True(left > TimeSpan.Zero && await _more.WaitAsync(left), $"no {count} {kind} within {within}: {Transcript}");
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _reflector!.DisposeAsync();
            Key.Dispose();
            _more.Dispose();
        }

        private void OnEvent(long flow, SshEvent told)
        {
            _seen.Enqueue((flow, told));
            _more.Release();
        }
    }
}
