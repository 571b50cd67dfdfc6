using System.Text.Json;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Linux;

/// <summary><c>keepalive system</c> in a network namespace of its own, so that the machine keeps its defaults.</summary>
public sealed class MachineTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "keepalive");
    private static readonly string[] Sysctls = ["tcp_keepalive_time", "tcp_keepalive_probes", "tcp_keepalive_intvl"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Set_counts_for_sockets_that_switch_keepalive_on_and_for_this_namespace_alone()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        Assert.Equal("7200 9 75", await RunningAsync(lab));
        string ours = await ChildProcess.RunAsync(["sysctl", "-n", .. Sysctls.Select(s => $"net.ipv4.{s}")]);
        string said = await lab.Client.RunAsync([Program, "system", "set", "60:4:15"]);
        Assert.Contains("net.ipv4.tcp_keepalive_time    7200 s -> 60 s", said, StringComparison.Ordinal);
        Assert.Contains("idle 60s, 4 probes 15s apart: dead after 2m0s", said, StringComparison.Ordinal);
        Assert.Equal("60 4 15", await RunningAsync(lab));
        Assert.Equal(ours, await ChildProcess.RunAsync(["sysctl", "-n", .. Sysctls.Select(s => $"net.ipv4.{s}")]));

        // One socket asks for keepalive and has no numbers of its own, the other does not ask.
        await using Holder holder = await Holder.StartAsync(lab.Client, [], 1, "1:9:1");
        Assert.Equal(["off", "60:4:15 0"], (await Holder.ListAsync(lab.Client, "--pid", $"{holder.Pid}")).Select(Holder.Spell).Order(StringComparer.Ordinal).Reverse());

        string shown = await lab.Client.RunAsync([Program, "system", "show", "--netns", "own"]);
        Assert.Contains("60:4:15: idle 60s, 4 probes 15s apart: dead after 2m0s", shown, StringComparison.Ordinal);
        Assert.Contains("No sysctl of Linux turns keepalive on for programs that did not ask for it: 'keepalive run'", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_has_every_namespace_with_processes_in_it()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await lab.Client.RunAsync([Program, "system", "set", "77:5:11"]);
        await using Holder holder = await Holder.StartAsync(lab.Client, [], 0);
        JsonElement shown = Holder.Parse(await ChildProcess.RunAsync([Program, "system", "show", "--json"]));
        JsonElement place = shown.GetProperty("places").EnumerateArray().Single(p => p.GetProperty("idleSeconds").ValueKind == JsonValueKind.Number && p.GetProperty("idleSeconds").GetDouble() == 77);
        Assert.Equal((5, 11d, 132d, false), (place.GetProperty("count").GetInt32(), place.GetProperty("intervalSeconds").GetDouble(),
            place.GetProperty("detectionSeconds").GetDouble(), place.GetProperty("own").GetBoolean()));
        Assert.Equal(77, place.GetProperty("settings").GetProperty("net.ipv4.tcp_keepalive_time").GetInt32());
        Assert.Contains("77:5:11", await ChildProcess.RunAsync([Program, "system", "show"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Persist_keeps_what_was_there_before_the_first_time_and_remove_puts_it_back()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        string folder = work.Folder("sysctl.d"), file = Path.Combine(folder, "60-keepalive.conf");
        await lab.Client.RunAsync([Program, "system", "set", "600:7:30"]);
        string said = await lab.Client.RunAsync([Program, "system", "persist", "60:4:15", "--directory", folder]);
        Assert.Contains($"{file}\n  kept from before: net.ipv4.tcp_keepalive_time 600 s", said, StringComparison.Ordinal);
        await lab.Client.RunAsync([Program, "system", "persist", "90:3:20", "--directory", folder]);
        Assert.Equal("90 3 20", await RunningAsync(lab));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(file));
        Assert.Equal([file], Directory.GetFiles(folder)); // nothing of the writing is left

        // The system's own program reads it as we meant it, comments and all.
        await lab.Client.RunAsync([Program, "system", "set", "7200:9:75"]);
        await lab.Client.RunAsync(["sysctl", "-q", "-p", file]);
        Assert.Equal("90 3 20", await RunningAsync(lab));

        string removed = await lab.Client.RunAsync([Program, "system", "persist", "--remove", "--directory", folder]);
        Assert.Contains($"{file}: removed", removed, StringComparison.Ordinal);
        Assert.Equal("600 7 30", await RunningAsync(lab)); // not 60:4:15, which was ours
        Assert.Empty(Directory.GetFiles(folder));
        await RefusesAsync(lab, 1, "nothing to remove", "persist", "--remove", "--directory", folder);
    }

    [Fact]
    public async Task What_others_wrote_stays_and_what_wins_over_ours_is_named()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        string folder = work.Folder("sysctl.d"), file = Path.Combine(folder, "60-keepalive.conf"), later = Path.Combine(folder, "99-site.conf");
        await File.WriteAllTextAsync(file, "# of the site\nvm.swappiness = 10", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(later, "net.ipv4.tcp_keepalive_time = 1800\n", TestContext.Current.CancellationToken);
        string said = await lab.Client.RunAsync([Program, "system", "persist", "60:4:15", "--directory", folder]);
        Assert.Contains($"{later} is read later and says net.ipv4.tcp_keepalive_time = 1800", said, StringComparison.Ordinal);
        Assert.StartsWith("# of the site\nvm.swappiness = 10\n# keepalive system persist: begin", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await lab.Client.RunAsync([Program, "system", "persist", "--remove", "--directory", folder]);
        Assert.Equal("# of the site\nvm.swappiness = 10\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_cannot_be_is_said_and_nothing_is_changed()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        string folder = work.Folder("sysctl.d"), damaged = Path.Combine(folder, "60-keepalive.conf"), program = OrdinaryUser.Program(work);
        await RefusesAsync(lab, 2, "'on' has no numbers", "set", "on");
        await RefusesAsync(lab, 2, "idle 500ms is not a whole number of seconds", "set", "500ms:4:15");
        await RefusesAsync(lab, 2, "give a SPEC, such as 60:4:15, or --remove", "persist");
        await RefusesAsync(lab, 2, "exclude each other", "persist", "60:4:15", "--remove");
        await RefusesAsync(lab, 1, "there is no folder", "persist", "60:4:15", "--directory", Path.Combine(folder, "none"));
        await File.WriteAllTextAsync(damaged, "# keepalive system persist: begin\n", TestContext.Current.CancellationToken);
        await RefusesAsync(lab, 1, "repair it by hand", "persist", "60:4:15", "--directory", folder);
        await using ChildProcess ordinary = await lab.Client.StartAsync([.. OrdinaryUser.Prefix, program, "system", "set", "60:4:15"]);
        await ordinary.WaitForExitAsync(Patience);
        Assert.Equal((1, true), (ordinary.ExitCode, ordinary.Transcript.Contains("it needs root", StringComparison.Ordinal)));
        Assert.Equal("7200 9 75", await RunningAsync(lab));
    }

    private static async Task<string> RunningAsync(NetworkLab lab) =>
        (await lab.Client.RunAsync(["cat", .. Sysctls.Select(s => $"/proc/sys/net/ipv4/{s}")])).Replace('\n', ' ').Trim();

    private static async Task RefusesAsync(NetworkLab lab, int code, string because, params string[] arguments)
    {
        await using ChildProcess system = await lab.Client.StartAsync([Program, "system", .. arguments]);
        await system.WaitForExitAsync(Patience);
        Assert.Equal((code, true), (system.ExitCode, system.Transcript.Contains(because, StringComparison.Ordinal)));
    }
}
