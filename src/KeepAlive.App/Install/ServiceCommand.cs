using System.CommandLine;
using KeepAlive.App.Machine;

namespace KeepAlive.App.Install;

/// <summary><c>keepalive service</c>: <c>keepalive up</c> under systemd.</summary>
internal static class ServiceCommand
{
    private static readonly Option<string> Root = new("--root") { Description = "Into an image of a machine, there", HelpName = "DIR", DefaultValueFactory = _ => "/", Recursive = true };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Tell what would be done, and do nothing", Recursive = true };
    private static readonly Option<string?> Program = new("--program") { Description = "What the unit is to run; this program unless given", HelpName = "PATH" };

    public static Command Create()
    {
        var install = new Command("install", "Writes the unit, and a configuration that only observes if there is none; enables and starts it.") { Program };
        install.SetAction((parsed, _) => RunAsync(parsed, installation =>
        {
            string program = parsed.GetValue(Program) ?? Environment.ProcessPath ?? "";
            if (UnitText.Unfit(program) is { } why) throw new MachineException(why);
            installation.Install(program);
            return Task.FromResult(true);
        }));
        return new Command("service", "keepalive up under systemd: installed, removed, upgraded without dropping a flow (Linux).")
        {
            install,
            Sub("remove", "Stops and disables it, and deletes the unit; the configuration stays.", installation =>
            {
                installation.Remove();
                return Task.FromResult(true);
            }),
            Sub("status", "Whether it is installed, and runs: exit 0 when it does.", installation => Task.FromResult(installation.Status())),
            Sub("upgrade", "Starts the program again, as it is on the disk now: flows live on in the old process until they end.", async installation =>
            {
                await installation.UpgradeAsync().ConfigureAwait(false);
                return true;
            }),
            Root,
            DryRun,
        };
    }

    private static Command Sub(string name, string description, Func<Installation, Task<bool>> act)
    {
        var command = new Command(name, description);
        command.SetAction((parsed, _) => RunAsync(parsed, act));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, Func<Installation, Task<bool>> act)
    {
        bool isDry = parsed.GetValue(DryRun);
        var installation = new Installation(Path.GetFullPath(parsed.GetValue(Root)!), step => parsed.InvocationConfiguration.Output.WriteLine(isDry ? $"would {step}" : step), isDry);
        try
        {
            if (installation.WhyNot() is { } why) throw new MachineException(why);
            return await act(installation).ConfigureAwait(false) ? CommandLine.Done : CommandLine.Failed;
        }
        catch (MachineException e)
        {
            CommandLine.Complain($"keepalive service: {e.Message}");
            return CommandLine.Failed;
        }
    }
}
