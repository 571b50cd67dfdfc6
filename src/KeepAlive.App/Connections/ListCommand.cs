using System.CommandLine;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Native;

namespace KeepAlive.App.Connections;

/// <summary><c>keepalive list</c>: every TCP connection of the machine with its effective keepalive.</summary>
internal static class ListCommand
{
    private static readonly Option<bool> All = new("--all") { Description = "Sockets that are opening or closing, too" };
    private static readonly Option<bool> Listeners = new("--listeners") { Description = "Listening sockets, too: what accepted ones will inherit" };
    private static readonly Option<bool> Json = new("--json") { Description = "As JSON" };

    public static Command Create()
    {
        var command = new Command("list", "Every TCP connection with its effective keepalive, its owner, and what that amounts to.") { All, Listeners, Json };
        ConnectionFilter.AddTo(command);
        command.SetAction(parsed => Run(parsed));
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        if (!OperatingSystem.IsLinux())
        {
            Console.Error.WriteLine("keepalive list: Linux only: other systems do not show the keepalive of a socket that is not one's own");
            return CommandLine.Failed;
        }

        try
        {
            var filter = ConnectionFilter.Read(parsed);
            ConnectionList list = ConnectionReader.Read(filter.Scope with { Listeners = parsed.GetValue(Listeners) });
            List<Connection> chosen = [.. list.Connections.Where(c => filter.Contains(c) && (parsed.GetValue(All) || IsLasting(c.Socket.State))).OrderBy(c => c.Owners.Count == 0 ? "~" : c.Owners[0].Command, StringComparer.Ordinal).ThenBy(c => c.Socket.Local.Port)];
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(Json)) output.Write(ConnectionJson.Of(chosen, list));
            else ConnectionTable.Write(output, Console.Error, chosen, list);
            return CommandLine.Done;
        }
        catch (SyscallException e)
        {
            Console.Error.WriteLine($"keepalive list: {e.Message}");
            return CommandLine.Failed;
        }
    }

    private static bool IsLasting(TcpState state) => state is TcpState.Established or TcpState.CloseWait or TcpState.Listening;
}
