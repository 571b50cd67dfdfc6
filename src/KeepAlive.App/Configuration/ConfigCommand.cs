using System.CommandLine;
using KeepAlive.App.Machine;

namespace KeepAlive.App.Configuration;

/// <summary><c>keepalive config</c>: the file of <c>keepalive up</c>, checked, shown and described.</summary>
internal static class ConfigCommand
{
    private static readonly Argument<string?> FileName = new("FILE") { Description = "The file; otherwise the one that 'keepalive up' would read", Arity = ArgumentArity.ZeroOrOne };

    public static Command Create()
    {
        var check = new Command("check", "Tells everything that is wrong with the file, each with its line.") { FileName };
        check.SetAction(parsed => Check(ConfigFile.Find(parsed.GetValue(FileName)), parsed.InvocationConfiguration.Output));
        var example = new Command("example", "Prints a file with comments to begin with.");
        example.SetAction(parsed => parsed.InvocationConfiguration.Output.Write(ConfigExample.ToText()));
        var schema = new Command("schema", "Prints the JSON schema of the file, by which editors complete it.");
        schema.SetAction(parsed => parsed.InvocationConfiguration.Output.Write(ConfigSchema.ToText()));
        return new Command("config", "The file of 'keepalive up'.") { check, example, schema };
    }

    private static int Check(ConfigFile file, TextWriter output)
    {
        byte[]? bytes;
        try
        {
            bytes = file.Read();
        }
        catch (MachineException e)
        {
            CommandLine.Complain($"keepalive config: {e.Message}");
            return CommandLine.Failed;
        }

        if (bytes is null)
        {
            CommandLine.Complain($"keepalive config: there is no {file.Path}: 'keepalive config example' prints one");
            return CommandLine.Failed;
        }

        Config? config = ConfigReader.Read(bytes, warning => CommandLine.Complain($"keepalive config: {warning}"), out IReadOnlyList<ConfigFault> faults);
        foreach (ConfigFault fault in faults) output.WriteLine(fault.In(file.Path));
        if (config is null) return CommandLine.Failed;
        output.WriteLine($"{file.Path}: {config.Gateways.Count} gateway(s), {config.Hosts.Count} host policy(s), no fault");
        return CommandLine.Done;
    }
}
