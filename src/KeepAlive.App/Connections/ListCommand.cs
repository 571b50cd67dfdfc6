using System.CommandLine;
using KeepAlive.App.Gateways;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Native;

namespace KeepAlive.App.Connections;

/// <summary><c>keepalive list</c>: every TCP connection of the machine with its effective keepalive.</summary>
internal static class ListCommand
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);

    private static readonly Option<TcpStates> States = CommandLine.Option<TcpStates>("--state", "Only sockets in these states, as ss(8) names them, with commas between them; all", StateNames.Read, "established,close-wait");
    private static readonly Option<bool> All = new("--all") { Description = "Sockets in any state, as --state all" };
    private static readonly Option<bool> Listeners = new("--listeners") { Description = "Listening sockets, too: what accepted ones will inherit" };
    private static readonly Option<ListOrder> Sort = CommandLine.Option<ListOrder>("--sort", "By owner, local, peer, silent (the longest first), unacked (the most first) or verdict (the worst first)", ListOrders.Read, "owner");
    private static readonly Option<bool> Watch = new("--watch") { Description = "Again every second, until Ctrl-C; with --json a document a line" };
    private static readonly Option<bool> Json = new("--json") { Description = "As JSON" };

    public static Command Create()
    {
        var command = new Command("list", "Every TCP connection with its effective keepalive, its owner, and what that amounts to.") { States, All, Listeners, Sort, Watch, Json };
        ConnectionFilter.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        if (!OperatingSystem.IsLinux()) return Failed("Linux only: other systems do not show the keepalive of a socket that is not one's own");
        var filter = ConnectionFilter.Read(parsed);
        ConnectionScope scope = filter.Scope with { States = Chosen(parsed) };
        TextWriter output = parsed.InvocationConfiguration.Output;
        bool asJson = parsed.GetValue(Json);
        try
        {
            if (!parsed.GetValue(Watch))
            {
                Write(output, filter, scope, parsed.GetValue(Sort), asJson);
                return CommandLine.Done;
            }

            using var signals = new StopSignals();
            do Show(output, filter, scope, parsed.GetValue(Sort), asJson);
            while (await Task.WhenAny(signals.First, Task.Delay(WatchPeriod)).ConfigureAwait(false) != signals.First);
            return CommandLine.Done;
        }
        catch (SyscallException e)
        {
            return Failed(e.Message);
        }
    }

    private static TcpStates Chosen(ParseResult parsed)
    {
        TcpStates states = parsed.GetValue(All) ? TcpStates.All : parsed.GetValue(States);
        return parsed.GetValue(Listeners) ? states.With(TcpState.Listening) : states;
    }

    private static void Write(TextWriter output, ConnectionFilter filter, ConnectionScope scope, ListOrder order, bool asJson)
    {
        (Judged[] rows, ConnectionList list) = Read(filter, scope, order);
        if (asJson)
        {
            output.WriteLine(ConnectionJson.Of(rows, list, indented: true));
            return;
        }

        ConnectionTable.Write(output, rows);
        output.Flush();
        foreach (string line in ConnectionTable.Foot(rows, list)) CommandLine.Complain(line);
    }

    private static void Show(TextWriter output, ConnectionFilter filter, ConnectionScope scope, ListOrder order, bool asJson)
    {
        (Judged[] rows, ConnectionList list) = Read(filter, scope, order);
        if (asJson) output.WriteLine(ConnectionJson.Of(rows, list, indented: false));
        else Screen.Show(output, o => ConnectionTable.Write(o, rows), ConnectionTable.Foot(rows, list));
        output.Flush();
    }

    private static (Judged[] Rows, ConnectionList List) Read(ConnectionFilter filter, ConnectionScope scope, ListOrder order)
    {
        ConnectionList list = ConnectionReader.Read(scope);
        MeasuredPaths paths = MeasuredPaths.Read();
        var rows = new List<Judged>(list.Connections.Count);
        foreach (Connection connection in list.Connections)
            if (filter.Contains(connection)) rows.Add(new Judged(connection, ConnectionVerdict.Of(connection.Socket, connection.Options, paths.To(connection.Socket.Remote))));
        Judged[] sorted = [.. rows];
        ListOrders.Sort(sorted, order);
        return (sorted, list);
    }

    private static int Failed(string fault)
    {
        CommandLine.Complain($"keepalive list: {fault}");
        return CommandLine.Failed;
    }
}
