using System.CommandLine;
using System.Text.Json;
using KeepAlive.App;
using KeepAlive.App.Explain;
using KeepAlive.Paths.Catalogue;

namespace KeepAlive.Tests.App;

public sealed class ExplainTests
{
    private static string As(string name, string spec) => string.Join('\n', Dialect.Find(name)!.Render(KeepAliveSpec.Parse(spec)));

    private static string Lines(params string[] lines) => string.Join('\n', lines);

    [Theory]
    [InlineData("7200:9:75", ExplainSnippets.Defaults)]
    [InlineData("60:4:15", ExplainSnippets.Common)]
    [InlineData("500ms:3:1s", ExplainSnippets.SubSecond)]
    public void Others_spell_it(string spec, string snippets) =>
        Assert.Equal(snippets, Lines([.. Dialect.All.Select(d => $"--- {d.Name}\n{As(d.Name, spec)}")]));

    [Theory]
    [InlineData("proftpd", "SocketOptions keepalive on", "SocketOptions keepalive off")]
    [InlineData("nginx", "listen 443 so_keepalive=on;", "listen 443 so_keepalive=off;")]
    [InlineData("haproxy", "option clitcpka\noption srvtcpka", "no option clitcpka\nno option srvtcpka")]
    [InlineData("envoy", "tcp_keepalive: {}", "# leave tcp_keepalive out: unset is off")]
    [InlineData("postgresql", "tcp_keepalives_idle = 0\ntcp_keepalives_count = 0\ntcp_keepalives_interval = 0", "# the server cannot switch it off; clients can: keepalives=0")]
    [InlineData("redis", "# Redis always sets numbers of its own; this is its default\ntcp-keepalive 300", "tcp-keepalive 0")]
    [InlineData("sshd", "TCPKeepAlive yes", "ClientAliveInterval 0\nTCPKeepAlive no")]
    [InlineData("openssh", "TCPKeepAlive yes", "ServerAliveInterval 0\nTCPKeepAlive no")]
    [InlineData("systemd", "[Socket]\nKeepAlive=yes", "[Socket]\nKeepAlive=no")]
    [InlineData("libpq", "keepalives=1", "keepalives=0")]
    [InlineData("curl", "# on unless told otherwise, 60:9:60", "no-keepalive")]
    [InlineData("java", "socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);", "socket.setOption(StandardSocketOptions.SO_KEEPALIVE, false);")]
    [InlineData("go", "dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: -1, Count: -1, Interval: -1}}", "dialer := net.Dialer{KeepAlive: -1}")]
    [InlineData("sysctl", "# Linux has no setting that switches it off, or on, for all", "# Linux has no setting that switches it off, or on, for all")]
    [InlineData("macos", "net.inet.tcp.always_keepalive=1", "# not for programs that switch it on themselves\nnet.inet.tcp.always_keepalive=0")]
    public void Others_switch_it_on_and_off(string name, string on, string off) => Assert.Equal((on, off), (As(name, "on"), As(name, "off")));

    [Theory]
    [InlineData("openssh", "5s:4:75", "# OpenSSH has one number for idle and interval: unanswered messages 60, not 4", "ServerAliveInterval 5", "ServerAliveCountMax 60")]
    [InlineData("openssh", "100:7:20", "# OpenSSH has one number for idle and interval: first message after 1m20s, not 1m40s; unanswered messages 2, not 7", "ServerAliveInterval 80", "ServerAliveCountMax 2")]
    [InlineData("openssh", "60:1:60", "ServerAliveInterval 60", "ServerAliveCountMax 1")]
    [InlineData("redis", "60:3:20", "tcp-keepalive 60")]
    [InlineData("redis", "2:3:5", "# Redis derives the rest from idle: interval 1s, not 5s; dead after 5s, not 17s", "tcp-keepalive 2")]
    [InlineData("windows", "1s:10:1ms",
        @"reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v KeepAliveTime /t REG_DWORD /d 1000 /f",
        @"reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v KeepAliveInterval /t REG_DWORD /d 1 /f")]
    [InlineData("proftpd", "1500ms:3:1500ms", "# idle 1s, not 1.5s: whole seconds only", "# interval 2s, not 1.5s: whole seconds only", "SocketOptions keepalive 1:3:2")]
    [InlineData("proftpd", "10h:255:1d", "# idle 9h6m7s, not 10h0m0s: the most Linux takes", "# count 127, not 255: the most Linux takes",
        "# interval 9h6m7s, not 1d0h0m0s: the most Linux takes", "SocketOptions keepalive 32767:127:32767")]
    [InlineData("macos", "60d:255:1.5ms", "# idle 49d17h2m47.295s, not 60d0h0m0s: the most macOS takes", "# interval 2ms, not 1.5ms: whole milliseconds only",
        "net.inet.tcp.keepidle=4294967295", "net.inet.tcp.keepcnt=255", "net.inet.tcp.keepintvl=2")]
    public void What_differs_is_said(string name, string spec, params string[] lines) => Assert.Equal(Lines(lines), As(name, spec));

    // OpenSSH: idle is never exceeded, and the detection time missed by less than one second a message.
    [Fact]
    public void OpenSSH_keeps_the_promises_it_can()
    {
        var random = new Random(20);
        for (int i = 0; i < 2000; i++)
        {
            var policy = new KeepAlivePolicy(TimeSpan.FromSeconds(random.Next(1, 30_000)), random.Next(1, 256), TimeSpan.FromSeconds(random.Next(1, 10_000)));
            string[] lines = [.. Dialect.Find("sshd")!.Render(KeepAliveSpec.Of(policy))];
            long number(int back) => long.Parse(lines[^back].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
            (long interval, long max) = (number(2), number(1));
            Assert.InRange(interval, 1, (long)policy.Idle.TotalSeconds);
            Assert.True(max >= 1, "0 is never for sshd and at once for ssh");
            Assert.InRange(interval * (max + 1), (long)policy.DetectionTime.TotalSeconds - max, (long)policy.DetectionTime.TotalSeconds);
        }
    }

    [Fact]
    public void Every_dialect_spells_everything()
    {
        Assert.All(Dialect.All, dialect =>
        {
            foreach (string spec in (string[])["on", "off", "60:4:15", "1ms:1:1ms", "365d:255:365d"])
            {
                IReadOnlyList<string> lines = dialect.Render(KeepAliveSpec.Parse(spec));
                Assert.NotEmpty(lines);
                Assert.All(lines, line => Assert.False(line.StartsWith('!') || line.Length == 0 || line.Contains('\n', StringComparison.Ordinal), $"{dialect.Name} {spec}: '{line}'"));
            }
        });
        Assert.Equal(Dialect.All.Count, Dialect.All.Select(d => d.Name).Distinct().Count());
        Assert.Same(Dialect.Find("nginx"), Dialect.Find("NGINX"));
        Assert.Null(Dialect.Find("nginx "));
    }

    [Theory]
    [InlineData("60:4:15", 1440, 149_760, 207_360)] // 86400 / 60, each with its answer: × 2 × 52 and × 2 × 72
    [InlineData("7200:9:75", 12, 1_248, 1_728)]
    [InlineData("5:4:75", 1152, 119_808, 165_888)] // no closer than the interval: 86400 / 75
    [InlineData("500ms:3:1s", 86_400, 8_985_600, 12_441_600)]
    [InlineData("1ms:1:1ms", 86_400_000, 8_985_600_000, 12_441_600_000)]
    [InlineData("1d:9:75", 1, 104, 144)]
    [InlineData("25h:9:75", 0, 0, 0)]
    public void An_idle_day_costs_a_probe_and_its_answer_each_idle_time(string spec, long probes, long bytesIPv4, long bytesIPv6)
    {
        KeepAlivePolicy policy = KeepAliveSpec.Parse(spec).Policy!;
        Assert.Equal((probes, bytesIPv4, bytesIPv6),
            (Cost.ProbesPerDay(policy), Cost.BytesPerDay(policy, Cost.SegmentBytesIPv4), Cost.BytesPerDay(policy, Cost.SegmentBytesIPv6)));
    }

    private static int Known => MiddleboxCatalogue.All.Count;

    private static int AboveTcp => MiddleboxCatalogue.All.Count(m => m.Refresh == BindingRefresh.Payload);

    [Fact]
    public void Says_what_a_policy_means()
    {
        Assert.StartsWith(Lines(
            "60:4:15: idle 60s, 4 probes 15s apart: dead after 2m0s",
            "  first probe      60s after the last sign of life",
            "  dead             2m0s after it, when 4 in a row stay unanswered",
            "  idle all day     1440 probes, 149760 bytes with their answers, of 52 each (IPv6 207360, of 72); link layer not counted",
            "  data under way   keepalive waits while data is unacknowledged: set the TCP user timeout as well, to 2m0s, or Linux retries for about 15 minutes",
            $"  middleboxes      survives {Known - AboveTcp} of {Known} known ones at their default timeouts, each with 3 lost in a row",
            $"                   not seen by {AboveTcp} that look above TCP (heroku, aws-alb ...): use 'keepalive gateway'",
            "                   each of them: --middleboxes",
            "",
            "ProFTPD, "), Explain("60:4:15"), StringComparison.Ordinal);
        Assert.Contains("  after an answer  the next probe waits for the interval, 1m15s: a middlebox sees no more than one in that time, and death is found up to 2m30s after the answer\n", Explain("5:1:75"), StringComparison.Ordinal);
        Assert.Contains("when the probe stays unanswered", Explain("5:1:75"), StringComparison.Ordinal);
        Assert.Contains("sooner than this policy; leave the TCP user timeout alone", Explain("7200:9:75"), StringComparison.Ordinal);
        Assert.Contains("  idle all day     1 probe, 104 bytes", Explain("1d:9:75"), StringComparison.Ordinal);
        Assert.Contains("  idle all day     less than one probe\n", Explain("25h:9:75"), StringComparison.Ordinal);
        Assert.StartsWith("on: on, with the machine's own values\n  below: as if they were Linux's defaults, 7200:9:75\n  first probe      2h0m0s", Explain("on"), StringComparison.Ordinal);
        Assert.StartsWith("off: off\n\nProFTPD, ", Explain("off"), StringComparison.Ordinal);
    }

    [Fact]
    public void One_dialect_alone_is_ready_to_paste()
    {
        Assert.Equal("listen 443 so_keepalive=60s:15s:4;\n", Explain("60:4:15", "--as", "nginx"));
        Assert.Equal("listen 443 so_keepalive=off;\n", Explain("--as", "NGINX", "off"));
    }

    [Theory]
    [InlineData("60:4:15", "60 4 15 120 120 1440 149760 207360")]
    [InlineData("7200:9:75", "7200 9 75 7875 null 12 1248 1728")]
    [InlineData("500ms:3:1s", "0.5 3 1 3.5 3.5 86400 8985600 12441600")]
    [InlineData("on", "null null null null null null null null")]
    [InlineData("off", "null null null null null null null null")]
    public void JSON_has_one_shape(string spec, string numbers)
    {
        using JsonDocument all = JsonDocument.Parse(Explain(spec, "--json"));
        JsonProperty[] properties = [.. all.RootElement.EnumerateObject()];
        Assert.Equal(
            ["spec", "meaning", "on", "idleSeconds", "count", "intervalSeconds", "detectionSeconds", "userTimeoutSeconds", "probesPerDay", "bytesPerDayIPv4", "bytesPerDayIPv6",
                "flows", "bytesPerDayAllFlowsIPv4", "bytesPerDayAllFlowsIPv6", "pricePerMB", "pricePerDayAllFlowsIPv4", "pricePerDayAllFlowsIPv6", "middleboxes", "measuredPaths", "as"],
            properties.Select(p => p.Name));
        Assert.Equal(numbers, string.Join(' ', properties[3..11].Select(p => p.Value.GetRawText())));
        Assert.Equal(spec != "off", all.RootElement.GetProperty("on").GetBoolean());
        Assert.Equal(Dialect.All.Select(d => d.Name), all.RootElement.GetProperty("as").EnumerateObject().Select(p => p.Name));
        using JsonDocument one = JsonDocument.Parse(Explain(spec, "--json", "--as", "go"));
        Assert.Equal(As("go", spec), Assert.Single(one.RootElement.GetProperty("as").EnumerateObject()).Value.GetString());
    }

    [Theory]
    [InlineData("--as: 'apache' is not known: give one of proftpd, nginx, haproxy,", "60:4:15", "--as", "apache")]
    [InlineData("count '15s' has a unit: the order is idle:count:interval", "60:15s:4")]
    [InlineData("idle -5s is below 1ms", "-5:4:15")]
    [InlineData("give SPEC (60:4:15), or --for what stands on the path", "--json")]
    [InlineData("Unrecognized command or argument", "60:4:15", "70:4:15")]
    public async Task Misuse_is_named_and_exits_with_2(string fault, params string[] args)
    {
        ParseResult parsed = ExplainCommand.Create().Parse(args);
        Assert.Contains(parsed.Errors, error => error.Message.Contains(fault, StringComparison.Ordinal));
        Assert.Equal(2, await CommandLine.RunAsync(["explain", .. args]));
    }

    [Fact]
    public void Says_what_middleboxes_make_of_it()
    {
        Assert.Contains("  middleboxes      survives", Explain("200:4:15"), StringComparison.Ordinal);
        Assert.Contains("fewer: home-gateway 0, azure-lb 0, azure-nat 0\n", Explain("200:4:15"), StringComparison.Ordinal);
        Assert.Contains("too late for home-gateway 3m59s, azure-lb 4m0s, azure-nat 4m0s, aws-ec2 5m50s, aws-nat 5m50s and 12 more\n", Explain("on"), StringComparison.Ordinal);
        string[] table = Explain("60:4:15", "--middleboxes").Split('\n');
        Assert.Equal((2 * Known) + 2, table.Length);
        Assert.Contains(table, line => line.StartsWith("aws-alb ", StringComparison.Ordinal) && line.EndsWith("payload only  no: use the gateway", StringComparison.Ordinal));
        Assert.Contains(table, line => line.EndsWith("AWS VPC documentation, 2026-11-21; weak source", StringComparison.Ordinal));
        using JsonDocument json = JsonDocument.Parse(Explain("60:4:15", "--json"));
        Assert.Equal(Known - AboveTcp, json.RootElement.GetProperty("middleboxes").EnumerateArray().Count(m => m.GetProperty("survived").GetBoolean()));
    }

    [Fact]
    public void Says_what_many_flows_cost()
    {
        string text = Explain("60:4:15", "--flows", "1000", "--price-per-mb", "5.5");
        Assert.Contains("  1000 flows       1440000 probes a day, 149.76 MB (IPv6 207.36 MB)\n", text, StringComparison.Ordinal);
        Assert.Contains("  price            at 5.5 per MB 823.68 a day for 1000 flows (IPv6 1140.48)\n", text, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(Explain("60:4:15", "--json", "--price-per-mb", "2"));
        Assert.Equal("1 149760 207360 2 0.29952 0.41472", string.Join(' ', json.RootElement.EnumerateObject().SkipWhile(p => p.Name != "flows").Take(6).Select(p => p.Value.GetRawText())));
    }

    [Fact]
    public void Goes_the_other_way()
    {
        string text = Explain("--for", "aws-nlb,azure-lb", "--detect", "60s", "--loss", "1%");
        Assert.StartsWith(Lines(
            "35:5:5: idle 35s, 5 probes 5s apart: dead after 60s",
            "  cheapest for     aws-nlb 5m50s, azure-lb 4m0s, and finds a dead peer within 60s",
            "  refreshes        azure-lb 4m0s in spite of 4 lost probes in a row, with a timer that is an eighth late",
            "  losses           of 1% of the segments end 0.00281 flows wrongly, per flow and year; the bound is 0.01"), text, StringComparison.Ordinal);
        Assert.StartsWith("no policy: aws-alb counts bytes of the application only", Run(1, "--for", "aws-alb,300s"), StringComparison.Ordinal);
        using JsonDocument none = JsonDocument.Parse(Run(1, "--for", "300s", "--detect", "20s", "--json"));
        using JsonDocument one = JsonDocument.Parse(Explain("--for", "300s", "--json"));
        Assert.Equal(one.RootElement.EnumerateObject().Select(p => p.Name), none.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal(JsonValueKind.Null, none.RootElement.GetProperty("spec").ValueKind);
    }

    [Theory]
    [InlineData("'klingon' is neither a known middlebox nor a duration such as 300s: known are aws-alb,", "--for", "klingon")]
    [InlineData("--detect goes with --for", "60:4:15", "--detect", "5s")]
    [InlineData("SPEC and --for exclude each other", "60:4:15", "--for", "300s")]
    [InlineData("--as goes with SPEC", "--for", "300s", "--as", "nginx")]
    [InlineData("'100%' is not a part from 0% to 99%", "--for", "300s", "--loss", "100%")]
    [InlineData("'-1' is not a price", "60:4:15", "--price-per-mb", "-1")]
    public void Options_that_do_not_fit_are_named(string fault, params string[] args) =>
        Assert.Contains(ExplainCommand.Create().Parse(args).Errors, error => error.Message.Contains(fault, StringComparison.Ordinal));

    private static string Explain(params string[] args) => Run(0, args);

    private static string Run(int code, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int exit = ExplainCommand.Create().Parse(args).Invoke(new InvocationConfiguration { Output = output, Error = error });
        Assert.Equal((code, ""), (exit, error.ToString()));
        return output.ToString();
    }
}
