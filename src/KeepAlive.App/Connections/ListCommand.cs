using System.CommandLine;
using System.Net;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Native;

namespace KeepAlive.App.Connections;

/// <summary><c>keepalive list</c>: every TCP connection of the machine with its effective keepalive.</summary>
internal static class ListCommand
{
    private static readonly Option<int?> Pid = CommandLine.Option<int?>("--pid", "Only sockets this process holds", PidText);
    private static readonly Option<int?> Port = CommandLine.Option<int?>("--port", "Only sockets with this port, on either end", PortText);
    private static readonly Option<IPNetwork?> Remote = CommandLine.Option<IPNetwork?>("--remote", "Only peers in this network: ADDRESS or ADDRESS/BITS", NetworkText);
    private static readonly Option<bool> All = new("--all") { Description = "Sockets that are opening or closing, too" };
    private static readonly Option<bool> Listeners = new("--listeners") { Description = "Listening sockets, too: what accepted ones will inherit" };
    private static readonly Option<string> Netns = new("--netns") { Description = "all: every network namespace with processes in it, containers too (default for root); own", DefaultValueFactory = _ => Environment.IsPrivilegedProcess ? "all" : "own" };
    private static readonly Option<bool> Json = new("--json") { Description = "As JSON" };

    public static Command Create()
    {
        var command = new Command("list", "Every TCP connection with its effective keepalive, its owner, and what that amounts to.") { Pid, Port, Remote, All, Listeners, Netns, Json };
        command.SetAction(parsed => Run(parsed));
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        if (parsed.GetValue(Netns) is not ("all" or "own"))
        {
            Console.Error.WriteLine($"keepalive list: --netns: '{parsed.GetValue(Netns)}' is neither all nor own");
            return CommandLine.Misused;
        }

        if (!OperatingSystem.IsLinux())
        {
            Console.Error.WriteLine("keepalive list: Linux only: other systems do not show the keepalive of a socket that is not one's own");
            return CommandLine.Failed;
        }

        try
        {
            ConnectionList list = ConnectionReader.Read(new ConnectionScope
            {
                AllNamespaces = parsed.GetValue(Netns) == "all",
                Listeners = parsed.GetValue(Listeners),
                Pid = parsed.GetValue(Pid),
            });
            List<Connection> chosen = [.. list.Connections.Where(c => IsChosen(c, parsed)).OrderBy(c => c.Owners.Count == 0 ? "~" : c.Owners[0].Command, StringComparer.Ordinal).ThenBy(c => c.Socket.Local.Port)];
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

    private static bool IsChosen(Connection c, ParseResult parsed)
    {
        SocketRow socket = c.Socket;
        if (!parsed.GetValue(All) && socket.State is not (TcpState.Established or TcpState.CloseWait or TcpState.Listening)) return false;
        if (parsed.GetValue(Port) is { } port && socket.Local.Port != port && socket.Remote.Port != port) return false;
        return parsed.GetValue(Remote) is not { } network || network.Contains(socket.Remote.Address);
    }

    private static bool PidText(string text, out int? value, out string? fault)
    {
        bool good = Texts.NumberWithin(1, int.MaxValue)(text, out int number, out fault);
        value = good ? number : null;
        return good;
    }

    private static bool PortText(string text, out int? value, out string? fault)
    {
        bool good = Texts.NumberWithin(1, 65535)(text, out int number, out fault);
        value = good ? number : null;
        return good;
    }

    private static bool NetworkText(string text, out IPNetwork? value, out string? fault)
    {
        fault = null;
        value = IPNetwork.TryParse(text, out IPNetwork network) ? network
            : IPAddress.TryParse(text, out IPAddress? one) ? new IPNetwork(one, one.GetAddressBytes().Length * 8) : null;
        if (value is null) fault = $"'{text}' is not a network: give an address, or one with bits such as 192.0.2.0/24 whose host part is zero";
        return value is not null;
    }
}
