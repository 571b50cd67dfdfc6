using System.CommandLine;
using System.Text.Json;
using KeepAlive.App.Gateways;
using KeepAlive.App.Remote;
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
        var command = new Command("list", "Every TCP connection with its effective keepalive, its owner, and what that amounts to.") { States, All, Listeners, Sort, Watch, Json, FromDaemon.FromOption, FromDaemon.TokenOption };
        ConnectionFilter.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        if (parsed.GetValue(FromDaemon.FromOption) is not null || parsed.GetValue(FromDaemon.TokenOption) is not null) return await FromAsync(parsed).ConfigureAwait(false);
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

    // What another daemon sees: connections that last, chosen and sorted here.
    private static async Task<int> FromAsync(ParseResult parsed)
    {
        if (Array.Find((Option[])[States, All, Listeners, Watch], option => parsed.GetResult(option) is { Implicit: false }) is { } stray) return Failed($"{stray.Name} is not for --from: its page is told of connections that last");
        try
        {
            using FromDaemon? daemon = FromDaemon.Of(parsed);
            using JsonDocument answer = await daemon!.GetAsync("/api/v1/connections").ConfigureAwait(false);
            (Judged[] all, ConnectionList list) = RemoteConnections.Read(answer.RootElement);
            var filter = ConnectionFilter.Read(parsed);
            Judged[] rows = [.. all.Where(row => filter.Contains(row.Connection) && (filter.Scope.Pid is not { } pid || row.Connection.Owners.Any(o => o.Pid == pid)))];
            ListOrders.Sort(rows, parsed.GetValue(Sort));
            Write(parsed.InvocationConfiguration.Output, rows, list, parsed.GetValue(Json));
            return CommandLine.Done;
        }
        catch (Exception e) when (e is FromDaemonException or FormatException)
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
        Write(output, rows, list, asJson);
    }

    private static void Write(TextWriter output, Judged[] rows, ConnectionList list, bool asJson)
    {
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
            if (filter.Contains(connection)) rows.Add(paths.Judge(connection));
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
