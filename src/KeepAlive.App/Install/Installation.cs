using KeepAlive.App.Machine;

namespace KeepAlive.App.Install;

/// <summary>The files of the unit, on this machine or in an image of one, and systemd where it runs.</summary>
/// <param name="root">Where the image is; "/" for this machine.</param>
/// <param name="tell">Told of each step as it is done.</param>
/// <param name="isDry">Whether the steps are only told.</param>
internal sealed class Installation(string root, Action<string> tell, bool isDry)
{
    private const string UnitFile = "etc/systemd/system/" + UnitText.Name;
    private const string WantedFile = "etc/systemd/system/multi-user.target.wants/" + UnitText.Name;
    private const string ConfigFile = "etc/keepalive/keepalive.json";

    private static readonly string[] Places = ["/usr/bin/systemctl", "/bin/systemctl"];
    private static readonly TimeSpan UpgradePatience = TimeSpan.FromSeconds(30);

    private bool IsHere => root == "/";

    private string Unit => Path.Combine(root, UnitFile);

    private string Wanted => Path.Combine(root, WantedFile);

    private string Config => Path.Combine(root, ConfigFile);

    /// <summary>Why nothing can be done; null when it can.</summary>
    public string? WhyNot()
    {
        if (!OperatingSystem.IsLinux()) return "systemd is Linux's: elsewhere let the system's own way of starting things run 'keepalive up'";
        if (!IsHere) return Directory.Exists(root) ? null : $"--root: there is no folder {root}";
        if (isDry) return null;
        if (!Directory.Exists("/run/systemd/system")) return "systemd does not run here (there is no /run/systemd/system): 'keepalive up' runs in the foreground; --root DIR writes the unit into an image";
        return Environment.IsPrivilegedProcess ? null : "it needs root: sudo keepalive service ...; --dry-run shows what would be done";
    }

    /// <summary>Does what is not done yet.</summary>
    /// <exception cref="MachineException">A step failed.</exception>
    public void Install(string program)
    {
        string text = UnitText.For(program);
        bool isChanged = AtomicFile.Read(Unit) != text, isFirst = !Exists(Unit);
        if (isChanged) Step($"write {Unit}", () => Write(Unit, text));
        if (!Exists(Config)) Step($"write {Config} (it only observes)", () => Write(Config, UnitText.FirstConfig));
        if (IsHere)
        {
            if (isChanged) Step("systemctl daemon-reload", () => Systemctl("daemon-reload"));
            Step($"systemctl enable --now {UnitText.Name}", () => Systemctl("enable", "--now", UnitText.Name));
            if (isChanged && !isFirst) tell("what runs still does so by the old unit: 'systemctl restart keepalive' drains, 'keepalive service upgrade' drops no flow");
        }
        else if (!Exists(Wanted))
        {
            Step($"link {Wanted}", () => Tried($"linking {Wanted}", () =>
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Wanted)!);
                File.CreateSymbolicLink(Wanted, "/" + UnitFile);
            }));
        }
    }

    /// <summary>Undoes it; the configuration is its owner's.</summary>
    /// <exception cref="MachineException">A step failed.</exception>
    public void Remove()
    {
        if (!Exists(Unit) && !Exists(Wanted))
        {
            tell("nothing is installed");
            return;
        }

        if (IsHere) Step($"systemctl disable --now {UnitText.Name}", () => Systemctl("disable", "--now", UnitText.Name));
        foreach (string path in ((string[])[Wanted, Unit]).Where(Exists)) Step($"delete {path}", () => Tried($"deleting {path}", () => File.Delete(path)));
        if (IsHere) Step("systemctl daemon-reload", () => Systemctl("daemon-reload"));
        if (Exists(Config)) tell($"left: {Config}");
    }

    /// <summary>Whether it is installed, and, on this machine, runs.</summary>
    /// <exception cref="MachineException">systemd does not answer.</exception>
    public bool Status()
    {
        bool isInstalled = Exists(Unit);
        tell(isInstalled ? $"unit: {Unit}" : $"unit: not installed ({Unit})");
        tell(Exists(Config) ? $"configuration: {Config}" : $"configuration: none ({Config})");
        if (!IsHere)
        {
            tell(Exists(Wanted) ? "enabled" : "not enabled");
            return isInstalled;
        }

        foreach (string line in Systemctl("show", "--property=UnitFileState,ActiveState,SubState,MainPID,StatusText", UnitText.Name).Split('\n', StringSplitOptions.RemoveEmptyEntries)) tell(line);
        return isInstalled && OutsideProgram.Run(Program(), ["is-active", "--quiet", UnitText.Name]).ExitCode == 0;
    }

    /// <summary>Has the process that runs be followed by one of the program as it is now, and waits for that.</summary>
    /// <exception cref="MachineException">It was not, in time.</exception>
    public async Task UpgradeAsync()
    {
        string before = isDry ? "" : MainPid();
        if (before == "0") throw new MachineException("it does not run: systemctl start keepalive");
        Step($"systemctl kill --kill-who=main --signal=USR2 {UnitText.Name}", () => Systemctl("kill", "--kill-who=main", "--signal=USR2", UnitText.Name));
        if (isDry) return;
        for (DateTime until = DateTime.UtcNow + UpgradePatience; DateTime.UtcNow < until; await Task.Delay(100).ConfigureAwait(false))
        {
            if (MainPid() is not (var now and not "0") || now == before) continue;
            tell($"pid {now} serves; {before} ends with its last flow");
            return;
        }

        throw new MachineException($"pid {before} still serves after {UpgradePatience.TotalSeconds:0} s: 'journalctl -u keepalive' says why");
    }

    private static string MainPid() => Systemctl("show", "--property=MainPID", "--value", UnitText.Name).Trim();

    private static string Systemctl(params string[] arguments)
    {
        (int code, string output, string error) = OutsideProgram.Run(Program(), arguments);
        return code == 0 ? output : throw new MachineException($"systemctl {string.Join(' ', arguments)}: exit {code}: {(error.Length > 0 ? error : output.Trim())}");
    }

    private static string Program() => Places.FirstOrDefault(File.Exists) ?? throw new MachineException("there is no systemctl here");

    // A link that leads nowhere on this machine, but will in the image, is there as well.
    private static bool Exists(string path) => File.Exists(path) || new FileInfo(path).LinkTarget is not null;

    private static void Write(string path, string text)
    {
        Tried($"making {Path.GetDirectoryName(path)}", () => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
        AtomicFile.Write(path, text);
    }

    private static void Tried(string what, Action act)
    {
        try
        {
            act();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw MachineException.Of(what, e);
        }
    }

    private void Step(string what, Action act)
    {
        if (!isDry) act();
        tell(what);
    }
}
