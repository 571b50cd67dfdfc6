using System.CommandLine;
using System.Net;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;

namespace KeepAlive.App.Connections;

/// <summary>Which connections a command is about, by the options that <c>list</c> and <c>apply</c> share.</summary>
/// <param name="Scope">What to read.</param>
/// <param name="Port">Only with this port, on either end.</param>
/// <param name="Remote">Only peers in this network.</param>
internal sealed record ConnectionFilter(ConnectionScope Scope, int? Port, IPNetwork? Remote)
{
    private static readonly Option<int?> PidOption = CommandLine.Option<int?>("--pid", "Only sockets this process holds", NumberText(int.MaxValue));
    /// <summary>A host policy has it too.</summary>
    public static readonly Option<int?> PortOption = CommandLine.Option<int?>("--port", "Only sockets with this port, on either end", NumberText(65535));
    /// <summary>A host policy has it too.</summary>
    public static readonly Option<IPNetwork?> RemoteOption = CommandLine.Option<IPNetwork?>("--remote", "Only peers in this network: ADDRESS or ADDRESS/BITS", NetworkText);
    private static readonly Option<NetnsScope> NetnsOption = CommandLine.Option<NetnsScope>("--netns", "all: every network namespace with processes in it, containers too (default for root); own", Texts.Netns, Environment.IsPrivilegedProcess ? "all" : "own");

    /// <summary>Whether it leaves anything out.</summary>
    public bool IsAny => (Scope.Pid ?? Port) is not null || Remote is not null;

    public static void AddTo(Command command)
    {
        foreach (Option option in (Option[])[PidOption, PortOption, RemoteOption, NetnsOption]) command.Add(option);
    }

    public static ConnectionFilter Read(ParseResult parsed) => new(
        new ConnectionScope { AllNamespaces = parsed.GetValue(NetnsOption) == NetnsScope.All, Pid = parsed.GetValue(PidOption) }, parsed.GetValue(PortOption), parsed.GetValue(RemoteOption));

    /// <summary>Whether a socket of the scope is one of those meant. A listener has no peer, so no network contains it.</summary>
    public bool Contains(Connection connection)
    {
        SocketRow socket = connection.Socket;
        if (Port is { } port && socket.Local.Port != port && socket.Remote.Port != port) return false;
        return Remote is not { } network || (socket.State != TcpState.Listening && network.Contains(socket.Remote.Address));
    }

    private static TextReader<int?> NumberText(int most) => (string text, out int? value, out string? fault) =>
    {
        bool good = Texts.NumberWithin(1, most)(text, out int number, out fault);
        value = good ? number : null;
        return good;
    };

    /// <summary>ADDRESS or ADDRESS/BITS.</summary>
    public static bool NetworkText(string text, out IPNetwork? value, out string? fault)
    {
        fault = null;
        value = IPNetwork.TryParse(text, out IPNetwork network) ? network
            : IPAddress.TryParse(text, out IPAddress? one) ? new IPNetwork(one, one.GetAddressBytes().Length * 8) : null;
        if (value is null) fault = $"'{text}' is not a network: give an address, or one with bits such as 192.0.2.0/24";
        return value is not null;
    }
}
