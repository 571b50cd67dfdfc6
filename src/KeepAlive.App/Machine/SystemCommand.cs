using System.CommandLine;
using KeepAlive.Linux.Processes;
using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary><c>keepalive system</c>: the defaults of the whole machine, shown, set, and kept over restarts.</summary>
internal static class SystemCommand
{
    private static readonly Option<NetnsScope> ShowNetns = CommandLine.Option<NetnsScope>("--netns", "all: every network namespace with processes in it, containers too (default for root); own (Linux)", Texts.Netns, Environment.IsPrivilegedProcess ? "all" : "own");
    private static readonly Option<NetnsScope> SetNetns = CommandLine.Option<NetnsScope>("--netns", "all: every network namespace that may be entered; own (Linux)", Texts.Netns, "own");
    private static readonly Option<bool> Json = new("--json") { Description = "As JSON" };
    private static readonly Argument<KeepAliveSpec> Spec = SpecArgument();
    private static readonly Argument<KeepAliveSpec> PersistSpec = SpecArgument();
    private static readonly Option<bool> Remove = new("--remove") { Description = "Undo: no longer set at the start, the values from before put back" };
    private static readonly Option<string?> Folder = new("--directory") { Description = $"Where the file goes (default {SysctlOrder.Folders[0]}; not on Windows)", HelpName = "DIR" };

    public static Command Create()
    {
        PersistSpec.Arity = ArgumentArity.ZeroOrOne;
        var show = new Command("show", "The defaults in force, with their units and meaning.") { ShowNetns, Json };
        show.SetAction(parsed => Run("show", () => ShowDefaults.Run(Here(parsed.GetValue(ShowNetns)), parsed.GetValue(Json), parsed.InvocationConfiguration.Output)));
        var set = new Command("set", "Sets the running values; a restart forgets them.") { Spec, SetNetns };
        set.SetAction(parsed => Run("set", () => Set(parsed)));
        var persist = new Command("persist", "Sets the running values and keeps them over restarts; --remove undoes it.") { PersistSpec, Remove, Folder };
        persist.SetAction(parsed => Run("persist", () => Persist(parsed)));
        return new Command("system", "The machine's keepalive defaults: for programs that switch keepalive on and set no numbers.") { show, set, persist };
    }

    private static int Set(ParseResult parsed)
    {
        IReadOnlyList<IMachinePlace> places = Here(parsed.GetValue(SetNetns));
        if (Settings(parsed.GetValue(Spec), places[0].Keys, "set") is not { } settings) return CommandLine.Misused;
        if (places[0].Keys == MachineKeys.Windows) throw new MachineException("Windows reads its values when it starts, none are running ones: use 'keepalive system persist'");
        return SetDefaults.Run(places, settings, parsed.InvocationConfiguration.Output);
    }

    private static int Persist(ParseResult parsed)
    {
        bool isRemoved = parsed.GetValue(Remove), hasSpec = parsed.GetResult(PersistSpec) is { Tokens.Count: > 0 };
        if (isRemoved == hasSpec) return Misuse("persist", hasSpec ? "SPEC and --remove exclude each other: give one" : "give a SPEC, such as 60:4:15, or --remove");
        string? folder = parsed.GetValue(Folder);
        if (folder is not null && (OperatingSystem.IsWindows() || folder.Length == 0)) return Misuse("persist", folder.Length == 0 ? "--directory: '' is no folder" : "--directory: Windows keeps its values in the registry");
        IMachinePlace place = Here(NetnsScope.Own)[0];
        IPersistence store = OperatingSystem.IsWindows() ? new RegistryPersistence()
            : OperatingSystem.IsMacOS() ? SysctlPersistence.MacOS(folder) : SysctlPersistence.Linux(folder);
        TextWriter output = parsed.InvocationConfiguration.Output;
        if (isRemoved) return PersistDefaults.Remove(place, store, output);
        KeepAliveSpec spec = parsed.GetValue(PersistSpec);
        return Settings(spec, place.Keys, "persist") is not { } settings ? CommandLine.Misused : PersistDefaults.Run(place, store, spec.Policy!, settings, output);
    }

    private static IReadOnlyList<MachineSetting>? Settings(KeepAliveSpec spec, MachineKeys keys, string command)
    {
        if (spec.Policy is not { } policy)
        {
            _ = Misuse(command, $"'{spec}' has no numbers, and these defaults are numbers: give some, such as 60:4:15. " + (keys == MachineKeys.MacOS
                ? $"What switches keepalive for all is {keys.AlsoShown}: 'sysctl {keys.AlsoShown}={(spec.IsOn ? 1 : 0)}' as root"
                : $"{keys.Name} has no setting that switches keepalive {spec} for programs: 'keepalive run {spec}' does it for one that is started, 'keepalive apply {spec}' for running ones"));
            return null;
        }

        if (keys.TrySettings(policy, out IReadOnlyList<MachineSetting> settings, out string? faults)) return settings;
        _ = Misuse(command, faults);
        return null;
    }

    // Our own place first. Only Linux has more than one.
    private static IReadOnlyList<IMachinePlace> Here(NetnsScope scope) =>
        OperatingSystem.IsLinux() ? scope == NetnsScope.All ? [.. NetworkNamespace.All().Select(space => new LinuxPlace(space))] : [LinuxPlace.Own]
        : OperatingSystem.IsMacOS() ? [new MacPlace()]
        : OperatingSystem.IsWindows() ? [new WindowsPlace()]
        : throw new MachineException("Linux, macOS and Windows only");

    private static int Run(string command, Func<int> work)
    {
        try
        {
            return work();
        }
        catch (MachineException e)
        {
            CommandLine.Complain($"keepalive system {command}: {e.Message}");
            return CommandLine.Failed;
        }
    }

    private static int Misuse(string command, string fault)
    {
        CommandLine.Complain($"keepalive system {command}: {fault}");
        return CommandLine.Misused;
    }

    private static Argument<KeepAliveSpec> SpecArgument() => CommandLine.Argument<KeepAliveSpec>("SPEC", "idle:count:interval such as 60:4:15", Texts.Spec);
}
