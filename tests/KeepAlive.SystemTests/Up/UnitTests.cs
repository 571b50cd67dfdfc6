using System.Globalization;
using System.Text.RegularExpressions;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Up;

/// <summary>The unit as <c>keepalive service</c> writes it, and what systemd's own checkers say of it.</summary>
public sealed partial class UnitTests
{
    private const string UnitFile = "etc/systemd/system/keepalive.service";
    private const string WantedFile = "etc/systemd/system/multi-user.target.wants/keepalive.service";
    private const string ConfigFile = "etc/keepalive/keepalive.json";

    [Fact]
    public async Task Systemd_finds_no_fault_in_the_unit()
    {
        Requires.Programs("systemd-analyze");
        using var work = new WorkFolder();
        string unit = (await InstalledAsync(work)).Replace("/usr/bin/true", UpProcess.Program, StringComparison.Ordinal);
        Assert.Empty(await ComplaintsAsync(work.Folder("good"), unit));
        Assert.NotEmpty(await ComplaintsAsync(work.Folder("bad"), unit.Replace("WatchdogSec=30", "WatchdogSec=often", StringComparison.Ordinal))); // it does look
        Assert.Empty(await ComplaintsAsync(work.Folder("socket"), unit, await File.ReadAllTextAsync(Path.Combine(Repository.Root, "eng/keepalive.socket"))));
    }

    [Fact]
    public async Task Systemd_finds_no_fault_in_the_unit_with_the_drop_in_of_a_fleet()
    {
        Requires.Programs("systemd-analyze");
        using var work = new WorkFolder();
        string unit = (await InstalledAsync(work)).Replace("/usr/bin/true", UpProcess.Program, StringComparison.Ordinal);
        string dropIn = (await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy/systemd/fleet.conf"))).Replace("/usr/local/bin/keepalive", UpProcess.Program, StringComparison.Ordinal);
        foreach ((string text, bool isGood) in ((string, bool)[])[(dropIn, true), (dropIn.Replace("LoadCredential=", "LoadCredentials=", StringComparison.Ordinal), false)])
        {
            string folder = work.Folder(isGood ? "with" : "with-a-fault");
            await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "keepalive.service.d")).FullName, "fleet.conf"), text);
            Assert.Equal(isGood, (await ComplaintsAsync(folder, unit)).Length == 0);
        }
    }

    [Fact]
    public async Task Its_exposure_is_no_more_than_what_is_stated()
    {
        Requires.Programs("systemd-analyze");
        using var work = new WorkFolder();
        string file = work.File("keepalive.service");
        await File.WriteAllTextAsync(file, await InstalledAsync(work));
        await using ChildProcess security = await ChildProcess.StartAsync(["systemd-analyze", "security", "--offline=true", "--no-pager", file]);
        await security.WaitForExitAsync(UpProcess.Patience);
        Assert.SkipWhen(security.Transcript.Contains("unrecognized option", StringComparison.Ordinal), "needs systemd 250: 'systemd-analyze security --offline'");
        string docs = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/up.md"));
        double stated = Number(Stated().Match(docs)), measured = Number(Measured().Match(security.Transcript));
        Assert.True(measured <= stated, $"systemd-analyze security says {measured}, docs/up.md {stated}");

        static double Number(Match match) => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task It_is_installed_into_an_image_as_often_as_asked_and_removed_without_a_trace_but_the_configuration()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: systemd");
        using var work = new WorkFolder();
        string root = work.Folder("image");
        string Image(string file) => Path.Combine(root, file);
        Assert.Equal(0, (await RunAsync("install", "--root", root, "--program", "/usr/bin/true", "--dry-run")).ExitCode);
        Assert.Empty(Directory.GetFileSystemEntries(root));
        await InstalledAsync(work);
        Assert.StartsWith("/", new FileInfo(Image(WantedFile)).LinkTarget, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("status", "--root", root)).ExitCode);
        Assert.Contains("0 gateway", await ChildProcess.RunAsync([UpProcess.Program, "config", "check", Image(ConfigFile)]), StringComparison.Ordinal);

        await File.WriteAllTextAsync(Image(ConfigFile), "{ } // its owner's");
        Assert.Equal((0, ""), await RunAsync("install", "--root", root, "--program", "/usr/bin/true")); // nothing is left to be done
        (int code, string told) = await RunAsync("remove", "--root", root);
        Assert.Equal(0, code);
        Assert.Contains("left: ", told, StringComparison.Ordinal);
        Assert.Equal([Image(ConfigFile)], Directory.GetFiles(root, "*", SearchOption.AllDirectories));
        Assert.Equal("{ } // its owner's", await File.ReadAllTextAsync(Image(ConfigFile)));
        Assert.Equal((0, "nothing is installed"), await RunAsync("remove", "--root", root));
        Assert.Equal(1, (await RunAsync("status", "--root", root)).ExitCode);
    }

    [Theory]
    [InlineData("/home/someone/keepalive", "the unit sees nothing below /home")]
    [InlineData("keepalive", "is not a whole path")]
    [InlineData("/usr/bin/dotnet", "publish it as a single file")]
    public async Task A_program_that_the_unit_could_not_run_is_refused(string program, string why)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: systemd");
        using var work = new WorkFolder();
        (int code, string told) = await RunAsync("install", "--root", work.Folder("image"), "--program", program);
        Assert.Equal(1, code);
        Assert.Contains(why, told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_systemd_does_not_run_nothing_is_tried()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: systemd");
        Assert.SkipWhen(Directory.Exists("/run/systemd/system"), "systemd runs here: nothing is to be installed by a test");
        (int code, string told) = await RunAsync("install", "--program", "/usr/bin/true");
        Assert.Equal(1, code);
        Assert.Contains("systemd does not run here", told, StringComparison.Ordinal);
    }

    // The unit's text, for a program that is on every machine.
    private static async Task<string> InstalledAsync(WorkFolder work)
    {
        string root = work.Folder("image");
        Assert.Equal(0, (await RunAsync("install", "--root", root, "--program", "/usr/bin/true")).ExitCode);
        string unit = await File.ReadAllTextAsync(Path.Combine(root, UnitFile));
        Assert.Contains("\nExecStart=/usr/bin/true up --config", unit, StringComparison.Ordinal);
        return unit;
    }

    private static async Task<(int ExitCode, string Told)> RunAsync(params string[] arguments)
    {
        await using ChildProcess command = await ChildProcess.StartAsync([UpProcess.Program, "service", .. arguments]);
        await command.WaitForExitAsync(UpProcess.Patience);
        return (command.ExitCode, command.Transcript);
    }

    // Those about our unit: what else is wrong with this machine's is not ours.
    private static async Task<string[]> ComplaintsAsync(string folder, string unit, string? socket = null)
    {
        string file = Path.Combine(folder, "keepalive.service"), other = Path.Combine(folder, "keepalive.socket");
        await File.WriteAllTextAsync(file, unit);
        if (socket is not null) await File.WriteAllTextAsync(other, socket);
        await using ChildProcess verify = await ChildProcess.StartAsync(["systemd-analyze", "verify", "--man=no", file, .. socket is null ? Array.Empty<string>() : [other]]);
        await verify.WaitForExitAsync(UpProcess.Patience);
        return [.. verify.Lines.Where(line => line.Contains("keepalive.s", StringComparison.Ordinal))];
    }

    [GeneratedRegex("systemd-analyze security` states an exposure of ([0-9.]+)")]
    private static partial Regex Stated();

    [GeneratedRegex("Overall exposure level for keepalive.service: ([0-9.]+)")]
    private static partial Regex Measured();
}
