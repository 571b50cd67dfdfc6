using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KeepAlive.App.Events;
using KeepAlive.App.Gateways;
using KeepAlive.Sockets;

namespace KeepAlive.App.Reflect;

/// <summary><c>keepalive reflect</c>: the other end of a path, which holds connections for who measures, or SSH sessions.</summary>
internal static class ReflectCommand
{
    private static readonly TimeSpan MaxTimeMax = TimeSpan.FromDays(30);

    private static readonly Option<bool> Ssh = new("--ssh") { Description = "Speak SSH: clients of ssh and sftp are let in and held; nothing is to be had" };
    private static readonly Option<IPEndPoint?> Listen = CommandLine.Option<IPEndPoint?>("--listen", "Where clients connect: ADDRESS:PORT [default: 127.0.0.1:7201, with --ssh 127.0.0.1:2222]", ListenText);
    private static readonly Option<int?> MaxFlows = CommandLine.Option<int?>("--max-flows", "Connections at a time; further ones are turned away [default: 1000, with --ssh 100]", OrNull(Texts.NumberWithin(1, 100_000)));
    private static readonly Option<int?> MaxBytes = CommandLine.Option<int?>("--max-bytes", "The most bytes that a client may send [default: 1048576, with --ssh 16777216 in its channels]", OrNull(Texts.NumberWithin(0, int.MaxValue)));
    private static readonly Option<TimeSpan?> MaxTime = CommandLine.Option<TimeSpan?>("--max-time", "How long a client may stay [default: 5h, with --ssh 24h]", OrNull(Texts.DurationWithin(TimeSpan.FromSeconds(1), MaxTimeMax)));
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line" };

    public static Command Create()
    {
        var command = new Command("reflect", "The other end of a path: holds connections for 'keepalive measure', or, with --ssh, SSH sessions.");
        foreach (Option option in (Option[])[Ssh, Listen, .. PathReflecting.Options, .. SshReflecting.Options, MaxFlows, MaxBytes, MaxTime, Json]) command.Options.Add(option);
        command.SetAction((parsed, cancellation) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        bool isSsh = parsed.GetValue(Ssh);
        Option[] strange = isSsh ? PathReflecting.Options : SshReflecting.Options;
        if (Array.Find(strange, o => parsed.GetResult(o) is { Implicit: false }) is { } given)
        {
            CommandLine.Complain($"keepalive reflect: {given.Name} is {(isSsh ? "not for SSH: leave out --ssh or this" : "for SSH: give --ssh as well")}");
            return CommandLine.Misused;
        }

        IPEndPoint listen = parsed.GetValue(Listen) ?? new IPEndPoint(IPAddress.Loopback, isSsh ? 2222 : 7201);
        var bounds = new ReflectBounds(listen, parsed.GetValue(MaxFlows), parsed.GetValue(MaxBytes), parsed.GetValue(MaxTime));
        var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), EventPrinter.WriteChars);
        using var printer = new EventPrinter(output, parsed.GetValue(Json));
        using var signals = new StopSignals();
        try
        {
            string? fault = isSsh ? await SshReflecting.RunAsync(parsed, bounds, printer, signals.First).ConfigureAwait(false)
                : await PathReflecting.RunAsync(parsed, bounds, printer, signals.First).ConfigureAwait(false);
            if (fault is null) return CommandLine.Done;
            CommandLine.Complain($"keepalive reflect: {fault}");
        }
        catch (SocketException e)
        {
            CommandLine.Complain($"keepalive reflect: cannot listen on {listen}: {e.SocketErrorCode}: choose an address of this machine and a free port (ss -ltnp shows those taken)");
        }

        return CommandLine.Failed;
    }

    private static bool ListenText(string text, out IPEndPoint? value, out string? fault) => HostPort.TryParseListen(text, out value, out fault);

    private static TextReader<T?> OrNull<T>(TextReader<T> read)
        where T : struct => (string text, out T? value, out string? fault) =>
    {
        bool good = read(text, out T number, out fault);
        value = good ? number : null;
        return good;
    };
}

/// <summary>What both kinds of reflector are bounded by; null for the kind's own.</summary>
internal sealed record ReflectBounds(IPEndPoint Listen, int? MaxFlows, int? MaxBytes, TimeSpan? MaxTime);
