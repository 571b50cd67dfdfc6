using System.Text.Json;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Ping;

namespace KeepAlive.SystemTests.Ssh;

/// <summary><c>keepalive reflect --ssh</c> as users start it: real ssh and sftp are held, a frozen one is disconnected, and a signal ends it.</summary>
public sealed class ReflectSshTests
{
    private const int Port = 2200;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    [Theory]
    [InlineData("proftpd", "keepalive@proftpd.org")]
    [InlineData("openssh", "keepalive@openssh.com")]
    public async Task Real_clients_are_held_and_disconnected_for_the_right_reason(string name, string request)
    {
        Requires.Programs("ssh", "sftp", "ssh-keygen");
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await RealSshServer.KeyAsync(work.File("host"), "rsa");
        await RealSshServer.KeyAsync(work.File("user"), "ecdsa");
        await RealSshServer.KeyAsync(work.File("stranger"), "ecdsa");
        await File.WriteAllTextAsync(work.File("known"), $"[{lab.Server.Address}]:{Port} {await File.ReadAllTextAsync(work.File("host.pub"))}");
        await using ChildProcess reflect = await lab.Server.StartAsync([Path.Combine(Repository.Root, "keepalive"), "reflect", "--ssh", "--json", "--listen", $"{lab.Server.Address}:{Port}",
            "--alive", "2:2", "--alive-name", name, "--host-key", work.File("host"), "--authorized-keys", work.File("user.pub")]);
        await lab.Server.ListensAsync(Port, reflect);

        string[] common = ["-F", "none", "-o", $"UserKnownHostsFile={work.File("known")}", "-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes",
            "-o", "BatchMode=yes", "-o", "TCPKeepAlive=no", "-o", "IdentitiesOnly=yes", "-o", "UpdateHostKeys=no"];
        string to = $"kat@{lab.Server.Address}", port = $"{Port}";
        await using ChildProcess stranger = await lab.Client.StartAsync(["ssh", .. common, "-i", work.File("stranger"), "-p", port, "-N", to]);
        await stranger.WaitForExitAsync(Patience);
        Assert.Equal(255, stranger.ExitCode);
        Assert.Contains("Permission denied", stranger.Transcript, StringComparison.Ordinal);

        await using ChildProcess ssh = await lab.Client.StartAsync(["ssh", .. common, "-i", work.File("user"), "-p", port, "-N", to]);
        await using ChildProcess sftp = await lab.Client.StartAsync(["sh", "-c", "(echo pwd; exec sleep 1000) | exec sftp \"$@\"", "sh", .. common, "-i", work.File("user"), "-P", port, to]);
        await sftp.WaitForLineAsync(line => line.Contains("Remote working directory: /", StringComparison.Ordinal), Patience);
        await AnsweredAsync(reflect, 8, request);
        Assert.True(ssh.IsRunning && sftp.IsRunning, $"{ssh.Transcript}\n{sftp.Transcript}\n{reflect.Transcript}");
        Assert.DoesNotContain(reflect.Lines, line => Event(line) == "died");

        // Frozen, it is heard no more; its kernel takes the goodbye, which it reads when it goes on. After one probe only: to a second
        // it would not get, as it answers the first to nobody.
        await using (await Frozen.FreezeAsync(ssh.Id)) await reflect.WaitForLineAsync(line => Event(line) == "died", Patience);
        const int ByApplication = 11; // RFC 4253 section 11.1
        await ssh.WaitForLineAsync(line => line.Contains($"Received disconnect from {lab.Server.Address} port {Port}:{ByApplication}: dead: nothing came for 4", StringComparison.Ordinal), Patience);
        Assert.Single(reflect.Lines, line => Event(line) == "died");
        Assert.True(sftp.IsRunning, sftp.Transcript);

        await reflect.SignalAsync("TERM");
        await reflect.WaitForExitAsync(Patience);
        Assert.Equal(0, reflect.ExitCode);
    }

    private static async Task AnsweredAsync(ChildProcess reflect, int count, string request)
    {
        int answered = 0, sent = 0;
        await reflect.WaitForLineAsync(line =>
        {
            if (Event(line) == "probe-sent" && line.Contains(request, StringComparison.Ordinal)) sent++;
            if (Event(line) == "probe-answered") answered++;
            return answered >= count && sent >= count;
        }, Patience);
    }

    private static string? Event(string line)
    {
        if (!line.StartsWith('{')) return null;
        return JsonDocument.Parse(line).RootElement.TryGetProperty("event", out JsonElement kind) ? kind.GetString() : null;
    }
}
