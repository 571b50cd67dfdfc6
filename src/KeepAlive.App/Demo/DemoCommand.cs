using System.CommandLine;
using System.Globalization;
using System.Net;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Paths;
using KeepAlive.Protocols;
using KeepAlive.Sockets;
using Spectre.Console;

namespace KeepAlive.App.Demo;

/// <summary><c>keepalive demo</c>: the same transfer through the same middlebox, without and with the gateway.</summary>
internal static class DemoCommand
{
    private static readonly TimeSpan Transfer = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Forgets = TimeSpan.FromSeconds(3);
    private static readonly KeepAlivePolicy Policy = new(TimeSpan.FromSeconds(1), 3, TimeSpan.FromSeconds(1));

    public static Command Create()
    {
        var command = new Command("demo", "A real FTP transfer through a simulated middlebox, without and with keepalive; about 20s, no root.");
        command.SetAction((_, _) => RunAsync());
        return command;
    }

    private static async Task<int> RunAsync()
    {
        if (Console.IsOutputRedirected)
        {
            // No colour and no line breaks but ours for whoever reads a pipe.
            AnsiConsole.Profile.Capabilities.ColorSystem = ColorSystem.NoColors;
            AnsiConsole.Profile.Capabilities.Ansi = false;
            AnsiConsole.Profile.Width = 1000;
        }

        AnsiConsole.WriteLine($"An FTP download of {Duration.Format(Transfer)}, through a middlebox that forgets a connection silent for {Duration.Format(Forgets)}.");
        AnsiConsole.WriteLine("While the data flows the control connection is silent, and the reply that ends the transfer comes on it.");
        byte[] file = new byte[800_000];
        Random.Shared.NextBytes(file);
        DemoOutcome without = await ActAsync("Without keepalive", file, null).ConfigureAwait(false);
        DemoOutcome with = await ActAsync($"Through keepalive gateway --probe {Policy}", file, Policy).ConfigureAwait(false);
        bool asTold = !without.IsWell && with.IsWell;
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLine(asTold
            ? "Nothing was changed in the client or the server. For your own: [bold]keepalive gateway --listen 127.0.0.1:2121 --to ftp.example.com:21[/]"
            : "This did not go as it should: the first transfer ought to fail and the second to succeed.");
        return asTold ? CommandLine.Done : CommandLine.Failed;
    }

    private static async Task<DemoOutcome> ActAsync(string title, byte[] file, KeepAlivePolicy? policy)
    {
        bool live = AnsiConsole.Profile.Capabilities.Ansi;
        AnsiConsole.WriteLine();
        if (!live) AnsiConsole.WriteLine(title);
        var scene = new DemoScene(title, (at, words) =>
        {
            if (!live) AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{at.TotalSeconds,5:0.0}s  {words}"));
        });
        Task<DemoOutcome> act = PlayAsync(scene, file, policy);
        if (live) await DemoScreen.DrawAsync(scene, act).ConfigureAwait(false);
        DemoOutcome outcome = await act.ConfigureAwait(false);
        AnsiConsole.MarkupLine(Verdict(outcome));
        return outcome;
    }

    private static async Task<DemoOutcome> PlayAsync(DemoScene scene, byte[] file, KeepAlivePolicy? policy)
    {
        using var server = new DemoFtpServer(file, Transfer);
        using var middlebox = new SimulatedMiddlebox(server.Listening, Forgets, ExpiredTreatment.Drop, e =>
        {
            if (e == BindingEvent.Expired) scene.Mark('✗', "the middlebox forgets the control connection");
            else if (e == BindingEvent.Refused) scene.Mark('✗', "a message on the control connection is dropped");
            else if (e == BindingEvent.Refreshed) scene.Mark('·');
        });
        IPEndPoint dial = middlebox.Listening;
        Gateway.Gateway? gateway = policy is null ? null : Gateway.Gateway.Start(Options(dial, policy), e => Tell(scene, e));
        try
        {
            int told = 0;
            return await DemoFtpClient.FetchAsync(gateway?.Listening ?? dial, file, Patience, bytes =>
            {
                scene.Transferred = bytes / (double)file.Length;
                if (bytes * 4L / file.Length > told) scene.Mark('─', $"{++told * 25}% of the file is here");
            }).ConfigureAwait(false);
        }
        finally
        {
            if (gateway is not null) await gateway.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static GatewayOptions Options(IPEndPoint server, KeepAlivePolicy policy) => new()
    {
        Listen = new IPEndPoint(IPAddress.Loopback, 0),
        To = new HostPort(server.Address.ToString(), server.Port),
        Protocol = ProtocolList.Find("ftp")!,
        Probe = KeepAliveSpec.Of(policy),
    };

    private static void Tell(DemoScene scene, FlowEvent e)
    {
        if (e.Kind == FlowEventKind.ProbeSent) scene.Mark('●');
        else if (e.Kind == FlowEventKind.ProbeAnswered) scene.Mark('◆', "NOOP from the gateway, answered; the client sees nothing of it");
    }

    private static string Verdict(DemoOutcome outcome) => outcome.IsWell
        ? $"[green]✓ {Markup.Escape(outcome.Final!)}; the next command is answered: {Markup.Escape(outcome.Next!)}[/]"
        : $"[red]✗ {(outcome.FileComplete ? "every byte of the file arrived, but" : "the file is incomplete, and")} the reply never came: "
            + $"after {Duration.Format(Patience)} the client gives up and calls it failed[/]";
}
