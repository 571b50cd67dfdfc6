using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary><c>keepalive gateway</c> from its start to its end, as a process.</summary>
public sealed class CommandLifeTests
{
    private static readonly string Program = Path.Combine(Path.GetDirectoryName(Environment.ProcessPath)!, "keepalive");

    [Theory]
    [InlineData("gateway --listen 127.0.0.1:0", "--to")]
    [InlineData("gateway --listen 127.0.0.1:0 --to", "--to")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --tcp", "--tcp")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --tcp 60:3:20 --tcp 1:1:1", "--tcp")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --max-flows 0", "--max-flows")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --drain -1", "--drain")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --hold 0", "--hold")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --connect-timeout 1ms", "--connect-timeout")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --data-ports 80-90", "--data-ports")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --data-ports 50000", "--data-ports")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --passive-range 10000-20000", "--passive-range")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --ftp-commands noop,,pwd", "--ftp-commands")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --loud", "--loud")]
    [InlineData("gateway --listen ::1:0 --to a:1", "--listen")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a", "--to")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:0", "--to")]
    [InlineData("gateway --listen 127.0.0.1:0 --to ftp://a:21", "--to")]
    public async Task Misuse_is_one_line_on_stderr_that_names_the_option(string arguments, string option)
    {
        (int code, string output, string error) = await RunAsync(arguments.Split(' '));
        Assert.Equal((2, ""), (code, output));
        string[] lines = error.TrimEnd().Split('\n');
        Assert.StartsWith("keepalive", lines[0], StringComparison.Ordinal);
        Assert.Contains(option, lines[0], StringComparison.Ordinal);
        Assert.True(lines.Length == 1 || (lines.Length == 2 && lines[1].Contains("--help", StringComparison.Ordinal)), error);
    }

    [Theory]
    [InlineData("--passive-range")]
    [InlineData("--listen")]
    public async Task A_taken_port_is_named_whichever_of_the_addresses_it_is(string option)
    {
        using Socket taken = DataEnds.Listen(IPAddress.Loopback);
        int port = DataEnds.PortOf(taken);
        string[] second = option == "--listen" ? ["--listen", $"127.0.0.1:{port}", "--to", "127.0.0.1:1"] : ["--passive-range", $"{port}-{port}"];
        (int code, _, string error) = await RunAsync(["gateway", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--no-check", .. second]);
        Assert.Equal(1, code);
        Assert.StartsWith($"keepalive gateway: cannot listen on 127.0.0.1:{port}: EADDRINUSE", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Every_line_of_JSON_is_an_object_with_its_fields()
    {
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        await using ChildProcess gateway = await ChildProcess.StartAsync(
            [Program, "gateway", "--listen", "127.0.0.1:0", "--to", $"127.0.0.1:{DataEnds.PortOf(server)}", "--no-check", "--json", "--protocol", "tcp"]);
        string listening = await gateway.WaitForLineAsync(l => l.Contains("listening", StringComparison.Ordinal), Bench.Patience);
        using (Line client = await DataEnds.DialAsync(IPEndPoint.Parse(JsonDocument.Parse(listening).RootElement.GetProperty("listen").GetString()!).Port))
        using (var far = new Line(await server.AcceptAsync().WaitAsync(Bench.Patience)))
        {
            await client.SayAsync("x");
            await far.HearAsync();
        }

        await gateway.WaitForLineAsync(l => l.Contains("\"closed\"", StringComparison.Ordinal), Bench.Patience);
        JsonElement[] lines = [.. gateway.Lines.Select(l => JsonDocument.Parse(l).RootElement)];
        Assert.Equal(["listening", "opened", "connected", "closed"], lines.Select(l => l.GetProperty("event").GetString()));
        foreach (string field in (string[])["listen", "to", "protocol", "tcp", "probe"]) Assert.Equal(JsonValueKind.String, lines[0].GetProperty(field).ValueKind);
        foreach (JsonElement line in lines[1..])
        {
            Assert.True(line.GetProperty("flow").GetInt64() > 0);
            Assert.InRange(DateTimeOffset.Parse(line.GetProperty("at").GetString()!, CultureInfo.InvariantCulture), DateTimeOffset.Now.AddMinutes(-1), DateTimeOffset.Now);
            Assert.NotEqual("", line.GetProperty("text").GetString());
        }

        Assert.Equal("upstream", lines[2].GetProperty("leg").GetString());
        Assert.True(lines[3].GetProperty("tookMs").GetDouble() > 0);
    }

    [Theory]
    [InlineData(">&-")]
    [InlineData("2>&-")]
    [InlineData("> /dev/full")]
    public async Task Nobody_who_reads_is_no_reason_to_end(string redirection)
    {
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        Socket held = DataEnds.ListenOnLastingPort();
        int port = DataEnds.PortOf(held);
        held.Dispose(); // what it prints cannot be read: the port must be known before
        await using ChildProcess gateway = await ChildProcess.StartAsync(
            ["sh", "-c", $"exec \"$0\" gateway --listen 127.0.0.1:{port} --to 127.0.0.1:{DataEnds.PortOf(server)} --no-check --protocol tcp --drain 0 {redirection}", Program]);
        for (int i = 0; i < 3; i++)
        {
            using Line client = await ConnectAsync(port);
            using var far = new Line(await server.AcceptAsync().WaitAsync(Bench.Patience));
            await client.SayAsync("still served");
            Assert.Equal("still served", await far.HearAsync());
        }

        using Line open = await ConnectAsync(port); // so that there is something to say on stderr
        using var its = new Line(await server.AcceptAsync().WaitAsync(Bench.Patience));
        await gateway.SignalAsync("TERM");
        await gateway.WaitForExitAsync(Bench.Patience);
        Assert.Equal(0, gateway.ExitCode);
    }

    [Fact]
    public async Task A_reader_that_leaves_is_no_reason_to_end()
    {
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        using var gateway = new Process
        {
            StartInfo = new ProcessStartInfo("setpriv", ["--pdeathsig", "KILL", "--", Program, "gateway", "--listen", "127.0.0.1:0", "--to", $"127.0.0.1:{DataEnds.PortOf(server)}", "--no-check", "--json"])
            {
                RedirectStandardOutput = true,
            },
        };
        await Spawner.StartAsync(gateway);
        try
        {
            string? listening = await gateway.StandardOutput.ReadLineAsync().WaitAsync(Bench.Patience);
            int port = IPEndPoint.Parse(JsonDocument.Parse(listening!).RootElement.GetProperty("listen").GetString()!).Port;
            gateway.StandardOutput.Close();
            for (int i = 0; i < 3; i++)
            {
                using Line client = await DataEnds.DialAsync(port);
                using var far = new Line(await server.AcceptAsync().WaitAsync(Bench.Patience));
                await client.SayAsync("still served");
                Assert.Equal("still served", await far.HearAsync());
            }

            await ChildProcess.RunAsync(["kill", "-TERM", $"{gateway.Id}"]);
            await gateway.WaitForExitAsync().WaitAsync(Bench.Patience);
            Assert.Equal(0, gateway.ExitCode);
        }
        finally
        {
            if (!gateway.HasExited) gateway.Kill();
        }
    }

    // Again until it listens.
    private static async Task<Line> ConnectAsync(int port)
    {
        for (var watch = Stopwatch.StartNew(); ;)
        {
            try
            {
                return await DataEnds.DialAsync(port);
            }
            catch (SocketException) when (watch.Elapsed < Bench.Patience)
            {
                await Task.Delay(50);
            }
        }
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        await Spawner.StartAsync(process);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}
