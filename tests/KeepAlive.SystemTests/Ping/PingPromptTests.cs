using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Sessions;

namespace KeepAlive.SystemTests.Ping;

/// <summary>On a terminal, where somebody is named and no password is given, it is asked for, and nothing of it is shown.</summary>
public sealed class PingPromptTests
{
    private const string Password = "open sesame";

    [Fact]
    public async Task A_password_is_asked_for_and_not_shown()
    {
        Requires.Programs("script", "mkfifo");
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess redis = await RedisSessionTests.StartServerAsync(lab, work, "--requirepass", Password);
        string keys = work.File("keys"), screen = work.File("screen");
        await ChildProcess.RunAsync(["mkfifo", keys]);
        string ping = $"{Path.Combine(Repository.Root, "keepalive")} ping redis://default@{lab.Server.Address}:{RedisSessionTests.Port} --count 2 --interval 100ms";
        // script(1) gives it a terminal, writes down what that shows, and types what comes from the pipe.
        await using ChildProcess terminal = await lab.Client.StartAsync(["sh", "-c", $"exec script -qefc '{ping}' {screen} <{keys}"]);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        await using var typing = await Task.Run(() => new FileStream(keys, FileMode.Open, FileAccess.Write), limit.Token).WaitAsync(limit.Token); // waits for the reader
        while (!File.Exists(screen) || !(await File.ReadAllTextAsync(screen, limit.Token)).Contains("just Enter): ", StringComparison.Ordinal))
        {
            Assert.True(terminal.IsRunning, terminal.Transcript);
            await Task.Delay(20, limit.Token);
        }

        await typing.WriteAsync("open sesamX\x7f\x65\r"u8.ToArray(), limit.Token); // a slip, and Backspace
        await typing.FlushAsync(limit.Token);
        await terminal.WaitForExitAsync(TimeSpan.FromSeconds(30));
        string shown = await File.ReadAllTextAsync(screen);
        Assert.Equal((0, true), (terminal.ExitCode, shown.Contains("2 sent, 2 answered, 0 lost", StringComparison.Ordinal)));
        Assert.DoesNotContain("sesam", shown, StringComparison.Ordinal);
    }
}
