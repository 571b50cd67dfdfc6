using System.CommandLine;
using System.Text;
using KeepAlive.App.Configuration;
using KeepAlive.App.Gateways;

namespace KeepAlive.App.Up;

/// <summary><c>keepalive up</c>: everything that a machine is to do, by one file, in the foreground.</summary>
internal static class UpCommand
{
    private static readonly Option<string?> FileName = new("--config")
    {
        Description = $"The file, otherwise the one that {ConfigFile.Variable} names, /etc/keepalive/keepalive.json for root, ~/.config/keepalive/keepalive.json for others",
        HelpName = "FILE",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line" };

    public static Command Create()
    {
        var command = new Command("up", "Runs the gateways and host policies of a file, and follows its changes; without one nothing is changed.") { FileName, Json };
        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        // Never disposed: whoever reads it may have stalled, and the program is to end all the same.
        var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), EventPrinter.WriteChars);
        using var printer = new EventPrinter(output, parsed.GetValue(Json));
        using var signals = new StopSignals();
        using var heap = new QuietHeap();
        return await new Daemon(ConfigFile.Find(parsed.GetValue(FileName)), printer, signals).RunAsync().ConfigureAwait(false);
    }
}
