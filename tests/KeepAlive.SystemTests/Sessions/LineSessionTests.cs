using System.Net.Sockets;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Tls;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>
/// Raw clients of Dovecot, exim, ngircd and nats-server, silent for 24 s behind a middlebox that forgets after 8 s, and exim ends what is
/// silent for 4 s: lost without us, and by kernel keepalive at its default pace; with our probes in the session they go on.
/// </summary>
public sealed class LineSessionTests
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(24);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    // A line of the client's, and how the server's last one to it begins.
    private sealed record Step(string Says, string Hears);

    [Fact]
    public async Task Outlives_the_middlebox_through_the_gateway()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await Task.WhenAll(
            OutlivesAsync(lab, "imap", LineServers.Imap, "--probe", "2:3:2"),
            OutlivesAsync(lab, "pop3", LineServers.Pop3, "--probe", "2:3:2"),
            OutlivesAsync(lab, "smtp", LineServers.Smtp, "--probe", "3:3:2", "--hold", "1h"), // Exim ends a session at its eleventh
                                                                                              // Raw clients answer no pings.
            OutlivesAsync(lab, "irc", LineServers.Irc, "--probe", "2:3:2", "--client-probe", "off"),
            OutlivesAsync(lab, "nats", LineServers.Nats, "--probe", "2:3:2", "--client-probe", "off"),
            OutlivesInsideTlsAsync(lab));
    }

    // IMAP inside TLS, which the gateway begins and so can read.
    private static async Task OutlivesInsideTlsAsync(NetworkLab lab)
    {
        using var work = new WorkFolder();
        using var authority = new Authority();
        await using ChildProcess server = await LineServers.StartAsync(lab, work, LineServers.Imaps, authority.Issue());
        string[] tls = ["--protocol", "imap", "--tls-upstream", "--ca", authority.RootFile, "--tls-name", Authority.ServerName];
        await using GatewayProcess probed = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", LineServers.Imaps, [.. tls, "--probe", "2:3:2"]);
        await using GatewayProcess kernel = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", LineServers.Imaps, [.. tls, "--probe", "off"]);
        await Outcomes.AssertAsync(() => $"{probed.Transcript}\n{server.Transcript}",
            ("imaps, kernel keepalive alone", OutcomeAsync(lab, "imap", "127.0.0.1", kernel.Port), "lost"),
            ("imaps, probed", OutcomeAsync(lab, "imap", "127.0.0.1", probed.Port), "kept"));
        Assert.True(probed.Count("probe-answered") >= 6, probed.Transcript);
    }

    private static async Task OutlivesAsync(NetworkLab lab, string protocol, int port, params string[] options)
    {
        using var work = new WorkFolder();
        await using ChildProcess server = await LineServers.StartAsync(lab, work, port);
        await using GatewayProcess probed = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", port, ["--protocol", protocol, .. options]);
        await using GatewayProcess kernel = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", port, "--protocol", protocol, "--probe", "off");
        await Outcomes.AssertAsync(() => $"{probed.Transcript}\n{server.Transcript}",
            ($"{protocol}, alone", OutcomeAsync(lab, protocol, $"{lab.Server.Address}", port), "lost"),
            ($"{protocol}, kernel keepalive alone", OutcomeAsync(lab, protocol, "127.0.0.1", kernel.Port), "lost"),
            ($"{protocol}, probed", OutcomeAsync(lab, protocol, "127.0.0.1", probed.Port), "kept"));
        Assert.True(probed.Count("probe-answered") >= 6, probed.Transcript);
        Assert.Equal(0, probed.Count("plain-relay"));
    }

    /// <summary>The gateway on the server's side: what it says to the client crosses the middlebox, while IDLE forbids to ask the server.</summary>
    [Fact]
    public async Task Who_idles_in_IMAP_is_told_of_new_mail_at_last()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess server = await LineServers.StartAsync(lab, work, LineServers.Imap);
        await using GatewayProcess probed = await GatewayProcess.StartAsync(lab.Server, $"{lab.Server.Address}", LineServers.Imap, lab.Server.Address, "--protocol", "imap", "--client-probe", "2:3:2");
        Step[] idles = [.. Login("imap"), new("b SELECT INBOX", "b OK"), new("c IDLE", "+ ")];
        using Line alone = await OpenAsync(lab, $"{lab.Server.Address}", LineServers.Imap, idles), kept = await OpenAsync(lab, $"{lab.Server.Address}", probed.Port, idles);
        await Task.Delay(Silence, TestContext.Current.CancellationToken); // the silence is what is tried
        string mail = work.File("mail/u/tmp/1.a"); // owned by root and readable by all: Dovecot only looks
        await File.WriteAllTextAsync(mail, "Subject: hello\n\nhi\n", TestContext.Current.CancellationToken);
        File.Move(mail, Path.Combine(LineServers.NewMail(work), "1.a"));
        int stillHere = await SaidUntilNewMailAsync(kept);
        Assert.True(stillHere >= 8, probed.Transcript);
        await Assert.ThrowsAsync<TimeoutException>(() => SaidUntilNewMailAsync(alone).WaitAsync(Patience));
        Assert.Equal(0, probed.Count("plain-relay"));
    }

    // Dovecot says "Still here" as well: each 2 minutes by the wall clock, so now and then just before the silence began.
    private static async Task<int> SaidUntilNewMailAsync(Line client)
    {
        string line;
        int stillHere = 0;
        while ((line = await client.HearAsync()) != "* 1 EXISTS") stillHere += line == "* OK Still here" ? 1 : 0;
        return stillHere;
    }

    private static Step[] Login(string protocol) => protocol switch
    {
        "imap" => [new("", "* OK"), new("a LOGIN u secret", "a OK")],
        "pop3" => [new("", "+OK"), new("USER u", "+OK"), new("PASS secret", "+OK")],
        "smtp" => [new("", "220 "), new("EHLO client.example", "250 ")],
        "irc" => [new($"NICK a{Random.Shared.Next(1, 1_000_000)}\r\nUSER a 0 * :b", ":irc.example 376")],
        _ => [new("", "INFO "), new("CONNECT {}\r\nPING", "PONG")],
    };

    private static Step Question(string protocol) => protocol switch
    {
        "imap" => new("b NOOP", "b OK"),
        "pop3" => new("STAT", "+OK 0 0"),
        "smtp" => new("MAIL FROM:<a@client.example>", "250 "),
        "irc" => new("PING :still", ":irc.example PONG irc.example :still"),
        _ => new("PING", "PONG"),
    };

    private static async Task<string> OutcomeAsync(NetworkLab lab, string protocol, string host, int port)
    {
        using Line client = await OpenAsync(lab, host, port, Login(protocol));
        await Task.Delay(Silence, TestContext.Current.CancellationToken); // the silence is what is tried
        try
        {
            await TakeAsync(client, Question(protocol)).WaitAsync(Patience);
            return "kept";
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException or TimeoutException)
        {
            return "lost";
        }
    }

    private static async Task<Line> OpenAsync(NetworkLab lab, string host, int port, Step[] login)
    {
        Socket socket = await lab.Client.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        await socket.ConnectAsync(host, port);
        var client = new Line(socket);
        foreach (Step step in login) await TakeAsync(client, step);
        return client;
    }

    private static async Task TakeAsync(Line client, Step step)
    {
        if (step.Says.Length > 0) await client.SayAsync(step.Says);
        string line;
        do line = await client.HearAsync();
        while (!line.StartsWith(step.Hears, StringComparison.Ordinal) && !line.StartsWith("421", StringComparison.Ordinal));
        if (line.StartsWith("421", StringComparison.Ordinal)) throw new EndOfStreamException(line);
    }
}
