using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Sessions;

namespace KeepAlive.SystemTests.Ping;

/// <summary><c>keepalive ping</c> of a real Redis over paths that are cut, that forget, and that lead nowhere.</summary>
public sealed class PingPathTests
{
    private static readonly TimeSpan BindingTimeout = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task A_black_hole_is_told_as_dead()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess redis = await RedisSessionTests.StartServerAsync(lab, work);
        string at = $"{lab.Server.Address}:{RedisSessionTests.Port}";
        await using ChildProcess probed = await PingProcess.StartAsync(lab, $"redis://{at}", null, "--count", "1000", "--policy", "500ms:3:500ms");
        await using ChildProcess kernel = await PingProcess.StartAsync(lab, $"tcp://{at}", null, "--count", "1000", "--policy", "1:3:1");
        await Task.WhenAll(PingProcess.AnsweredAsync(probed), PingProcess.AnsweredAsync(kernel));
        await lab.SwallowEverythingAsync();
        await Outcomes.AssertAsync(() => $"{probed.Transcript}\n{kernel.Transcript}",
            ("redis", PingProcess.OutcomeAsync(probed), "dead 1"),
            ("tcp", PingProcess.OutcomeAsync(kernel), "dead 1"),
            ("before it is connected", PingProcess.OutcomeAsync(lab, $"redis://{at}", null, "--timeout", "2s"), "dead 1"));
        Assert.Contains("nothing acknowledged", PingProcess.Summary(probed)!.Value.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal(3, PingProcess.Summary(probed)!.Value.GetProperty("lost").GetInt32());
    }

    [Fact]
    public async Task Silence_longer_than_the_binding_lasts_is_told()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default with { BindingTimeout = BindingTimeout });
        using var work = new WorkFolder();
        await using ChildProcess redis = await RedisSessionTests.StartServerAsync(lab, work);
        string at = $"{lab.Server.Address}:{RedisSessionTests.Port}";
        await using ChildProcess lost = await PingProcess.StartAsync(lab, $"redis://{at}", null, "--idle", $"{BindingTimeout.TotalSeconds * 2}");
        await Outcomes.AssertAsync(() => lost.Transcript,
            ("longer", PingProcess.OutcomeAsync(lost), "dead 1"),
            ("longer, tcp", PingProcess.OutcomeAsync(lab, $"tcp://{at}", null, "--idle", $"{BindingTimeout.TotalSeconds * 2}"), "dead 1"),
            ("shorter", PingProcess.OutcomeAsync(lab, $"redis://{at}", null, "--idle", "1s"), "alive 0"),
            ("shorter, tcp", PingProcess.OutcomeAsync(lab, $"tcp://{at}", null, "--idle", "1s", "--count", "2"), "alive 0"));
        Assert.Contains("the path did not survive 6s of silence", lost.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refused_closed_and_misused_are_told()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess redis = await RedisSessionTests.StartServerAsync(lab, work, "--timeout", "2", "--requirepass", "hunter2");
        string at = $"{lab.Server.Address}:{RedisSessionTests.Port}";
        await using ChildProcess answered = await PingProcess.StartAsync(lab, $"redis://{at}", "hunter2", "--count", "2"), misused = await PingProcess.StartAsync(lab, $"redis://u:hunter2@{at}", null);
        await using ChildProcess stray = await PingProcess.StartAsync(lab, $"redis://{at}", null, $"redis://u:hunter2@{at}", "u:hunter@2@host", "--tls-name", "x");
        await Outcomes.AssertAsync(() => "",
            ("nobody listens", PingProcess.OutcomeAsync(lab, $"redis://{lab.Client.Address}:9", null), "refused 1"),
            ("the server's own idle limit", PingProcess.OutcomeAsync(lab, $"redis://{at}", "hunter2", "--idle", "8s"), "closed 1"),
            ("no password", PingProcess.OutcomeAsync(lab, $"redis://{at}", null), "alive 0"),
            ("another protocol", PingProcess.OutcomeAsync(lab, $"nats://{at}", null, "--timeout", "1s"), "hung 1"),
            ("a password", PingProcess.OutcomeAsync(answered), "alive 0"));
        await Task.WhenAll(misused.WaitForExitAsync(TimeSpan.FromSeconds(20)), stray.WaitForExitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal((2, 2), (misused.ExitCode, stray.ExitCode));
        Assert.Contains($"'redis://...@{at}'", stray.Transcript, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter", answered.Transcript + misused.Transcript + stray.Transcript, StringComparison.Ordinal);
    }
}
