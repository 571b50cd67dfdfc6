using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Protocols;

/// <summary>When a session may be probed and with what.</summary>
public sealed class FtpProbeTests
{
    [Theory]
    [InlineData("not logged in yet", "S:220 x\r\n")]
    [InlineData("not logged in yet", "S:220 x\r\n", "C:USER u\r\n", "S:331 p\r\n")]
    [InlineData("in the middle of a command line", "in", "LONG")]
    [InlineData("a command of the client's is unanswered", "in", "C:SIZE a\r\n")]
    [InlineData("in the middle of a reply", "in", "C:SIZE a\r\n", "S:213-1\r\n")]
    [InlineData("a command of the client's is unanswered", "in", "C:RETR f\r\n", "S:150 x\r\n", "C:NOOP\r\n")]
    [InlineData("between two commands that belong together", "in", "C:RNFR a\r\n", "S:350 x\r\n")]
    [InlineData("between two commands that belong together", "in", "C:REST 9\r\n", "S:350 x\r\n")]
    [InlineData("between two commands that belong together", "in", "C:REST 9\r\n", "S:350 x\r\n", "C:EPSV\r\n", "S:500 x\r\n")]
    [InlineData("a data connection is prepared", "in", "C:PASV\r\n", "S:227 (10,0,0,9,195,80)\r\n")]
    [InlineData("a data connection is prepared", "in", "C:PASV\r\n", "S:227 (10,0,0,9,195,80)\r\n", "C:TYPE I\r\n", "S:200 x\r\n")]
    [InlineData("a data connection is prepared", "in", "C:EPSV\r\n", "S:229 (|||5000|)\r\n", "C:EPSV\r\n", "S:500 x\r\n")]
    [InlineData("a data connection is prepared", "in", "C:PORT 192,0,2,1,195,80\r\n", "S:200 x\r\n")]
    [InlineData("the session is ending", "in", "C:QUIT\r\n")]
    [InlineData("the session is ending", "in", "S:421 timeout\r\n")]
    [InlineData("a blank line of the client's may be answered", "in", "C:\r\n")]
    [InlineData("plain relay", "in", "C:AUTH TLS\r\n", "S:234 go\r\n")]
    [InlineData("plain relay", "in", "C:AUTH GSSAPI\r\n", "S:334 go\r\n")]
    [InlineData("plain relay", "in", "S:what\r\n")]
    [InlineData("NOOP", "in")]
    [InlineData("NOOP", "in", "C:RETR f\r\n", "S:150 x\r\n")]
    [InlineData("NOOP", "in", "C:RETR f\r\n", "S:550 x\r\n")]
    [InlineData("NOOP", "in", "C:SIZ")]
    [InlineData("NOOP", "in", "C:EPSV ALL\r\n", "S:200 x\r\n")]
    [InlineData("NOOP", "in", "C:RNFR a\r\n", "S:350 x\r\n", "C:RNTO b\r\n", "S:250 x\r\n")]
    [InlineData("NOOP", "in", "C:REST 9\r\n", "S:350 x\r\n", "C:RETR f\r\n", "S:150 x\r\n", "S:226 x\r\n")]
    [InlineData("NOOP", "in", "C:PASV\r\n", "S:227 (10,0,0,9,0,20)\r\n")]
    [InlineData("NOOP", "in", "S:421 data timeout\r\n", "C:NOOP\r\n", "S:200 still here\r\n")]
    [InlineData("NOOP", "in", "C:RETR f\r\n", "S:150 x\r\n", "C:ABOR\r\n", "S:426 x\r\n226 x\r\n")]
    [InlineData("NOOP", "in", "C:RETR f\r\n", "S:150 x\r\n", "C:ABOR\r\n", "S:225 x\r\n")]
    [InlineData("NOOP", "in", "C:RETR f\r\n", "S:150 x\r\n", "C:ABOR\r\n", "S:226 x\r\n", "C:CWD a\r\n", "S:250 x\r\n")]
    [InlineData("not logged in yet", "in", "C:REIN\r\n", "S:220 x\r\n")]
    public void A_probe_goes_only_where_it_can_do_no_harm(string answer, params string[] conversation)
    {
        var bench = new FtpBench();
        foreach (string turn in conversation)
        {
            if (turn == "in") bench.LogIn();
            else if (turn == "LONG") bench.Client(new string('a', 6000));
            else if (turn[0] == 'C') bench.Client(turn[2..]);
            else bench.Server(turn[2..]);
        }

        Assert.StartsWith(answer, bench.Probe().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_clients_own_type_is_repeated_and_no_other()
    {
        FtpBench bench = new FtpBench(new FtpOptions { Commands = [FtpKeepAliveCommand.Type] }).LogIn();
        Assert.Equal("PWD", bench.Probe().Text);
        bench.Server("257 \"/\"\r\n");
        bench.Client("type I\r\n");
        bench.Server("200 ok\r\n");
        Assert.Equal("TYPE I", bench.Probe().Text);
        bench.Server("200 ok\r\n");
        bench.Client("TYPE L 8\r\n");
        bench.Server("504 no\r\n");
        Assert.Equal("TYPE I", bench.Probe().Text);
    }

    [Fact]
    public void Where_answers_stay_away_the_next_command_is_tried_and_found_to_pass()
    {
        FtpBench bench = new FtpBench().LogIn();
        Assert.Equal(new ProbeAttempt(ProbeOutcome.Sent, "NOOP"), bench.Probe());
        Assert.Equal("PWD", bench.Probe().Text);
        bench.Server("257 \"/\"\r\n");
        Assert.Contains(bench.Notes, n => n.Kind == FlowEventKind.Notice && n.Text.Contains("filters", StringComparison.Ordinal));
        Assert.Equal("PWD", bench.Probe().Text);
        Assert.Equal("", bench.ClientSaw);
    }

    [Fact]
    public void An_idle_session_is_left_to_the_servers_policy_after_a_while_counted_from_the_last_transfers_end()
    {
        FtpBench bench = new FtpBench().LogIn();
        bench.Client("RETR f\r\n");
        bench.Server("150 x\r\n");
        bench.Now += TimeSpan.FromHours(1);
        bench.Server("226 x\r\n");
        bench.Now += FtpOptions.IdleAgeDefault;
        Assert.Equal("NOOP", bench.Probe().Text);
        bench.Server("200 x\r\n");
        bench.Now += TimeSpan.FromSeconds(1);
        Assert.Contains("own idle policy rules", bench.Probe().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void To_hold_a_session_a_listing_is_read_and_dropped()
    {
        FtpBench bench = new FtpBench(new FtpOptions { Commands = [FtpKeepAliveCommand.List] }).LogIn();
        Assert.Equal("NLST over EPSV", bench.Probe().Text);
        bench.Server("229 Extended (|||5000|)\r\n");
        Assert.Equal([5000], bench.Data.Drained);
        Assert.Equal("EPSV\r\nNLST\r\n", bench.ServerSaw);
        bench.Client("CWD a\r\n");
        bench.Server("150 x\r\n");
        Assert.True(bench.Protocol.IsHolding(Leg.Downstream));
        bench.Server("226 x\r\n");
        Assert.Equal("EPSV\r\nNLST\r\nCWD a\r\n", bench.ServerSaw);
        Assert.Equal("", bench.ClientSaw);
    }

    [Theory]
    [InlineData("500 EPSV not understood\r\n", "227 (10,0,0,9,19,136)\r\n", 5000)]
    [InlineData("522 use (1)\r\n", "227 (10,0,0,9,0,20)\r\n", null)]
    [InlineData("229 nothing here\r\n", null, null)]
    [InlineData("229 Extended (|||20|)\r\n", null, null)]
    [InlineData("500 no\r\n", "500 no\r\n", null)]
    public void A_listing_takes_pasv_where_epsv_is_unknown_and_stops_where_neither_serves(string toEpsv, string? toPasv, int? drained)
    {
        FtpBench bench = new FtpBench(new FtpOptions { Commands = [FtpKeepAliveCommand.List] }).LogIn();
        bench.Probe();
        bench.Server(toEpsv);
        Assert.Equal(toPasv is not null, bench.ServerSaw.Contains("PASV", StringComparison.Ordinal));
        if (toPasv is not null) bench.Server(toPasv);
        Assert.Equal(drained is { } port ? [port] : [], bench.Data.Drained);
        Assert.Equal(drained is not null ? 1 : 0, bench.Protocol.Owed);
        Assert.Equal("", bench.ClientSaw);
    }

    [Fact]
    public void A_listing_that_does_not_end_is_cut_and_the_client_goes_on()
    {
        FtpBench bench = new FtpBench(new FtpOptions { Commands = [FtpKeepAliveCommand.List] }).LogIn();
        bench.Probe();
        bench.Server("229 Extended (|||5000|)\r\n150 x\r\n");
        bench.Data.IsOpen = true;
        bench.Client("CWD a\r\n");
        bench.Now = bench.Protocol.Deadline;
        bench.Deadline();
        Assert.Equal(1, bench.Data.Closed);
        bench.Server("426 cut\r\n");
        Assert.EndsWith("NLST\r\nCWD a\r\n", bench.ServerSaw, StringComparison.Ordinal);
        Assert.Equal("", bench.ClientSaw);
    }

    [Fact]
    public void A_listing_that_runs_is_not_passed_over_by_an_answer_that_comes_before_its_end()
    {
        FtpBench bench = new FtpBench(new FtpOptions { Commands = [FtpKeepAliveCommand.List] }).LogIn();
        bench.Probe();
        bench.Server("229 Extended (|||5000|)\r\n150 x\r\n");
        bench.Client("CWD a\r\n");
        bench.Now = bench.Protocol.Deadline;
        bench.Deadline();
        bench.Server("257 \"/\"\r\n226 x\r\n");
        Assert.EndsWith("NLST\r\nPWD\r\nCWD a\r\n", bench.ServerSaw, StringComparison.Ordinal);
        Assert.Equal("", bench.ClientSaw);
    }

    [Fact]
    public void A_server_that_punishes_keepalive_is_reported()
    {
        FtpBench bench = new FtpBench().LogIn();
        bench.Probe();
        bench.Server("200 x\r\n421 Timeout (no operation for 900 seconds)\r\n");
        Assert.Equal("421 Timeout (no operation for 900 seconds)\r\n", bench.ClientSaw);
        Assert.Contains(bench.Notes, n => n.Text.StartsWith("the server closed the session (421) after 1 keepalive", StringComparison.Ordinal));
    }

    [Fact]
    public void No_command_at_all_is_a_mistake_of_the_caller() =>
        Assert.Throws<ArgumentException>(() => new FtpBench(new FtpOptions { Commands = [] }));

    [Theory]
    [InlineData("noop", false, FtpKeepAliveCommand.Noop)]
    [InlineData("NOOP, pwd ,Type", false, FtpKeepAliveCommand.Noop, FtpKeepAliveCommand.Pwd, FtpKeepAliveCommand.Type)]
    [InlineData("random:stat,rest,cwd,list", true, FtpKeepAliveCommand.Stat, FtpKeepAliveCommand.Rest, FtpKeepAliveCommand.Cwd, FtpKeepAliveCommand.List)]
    public void Commands_are_read(string text, bool random, params object[] commands)
    {
        Assert.True(FtpOptions.TryParseCommands(text, out (IReadOnlyList<FtpKeepAliveCommand> Commands, bool Random) value, out string? fault), fault);
        Assert.Equal(commands.Cast<FtpKeepAliveCommand>(), value.Commands);
        Assert.Equal(random, value.Random);
    }

    [Theory]
    [InlineData("", "''")]
    [InlineData("random:", "''")]
    [InlineData("noop,,pwd", "''")]
    [InlineData("noop,ls,pw", "'ls'")]
    [InlineData("0", "'0'")]
    [InlineData("noop pwd", "'noop pwd'")]
    public void A_fault_names_the_command_and_the_choice(string text, string named)
    {
        Assert.False(FtpOptions.TryParseCommands(text, out _, out string? fault));
        Assert.StartsWith(named + " is not a keepalive command: give some of noop, pwd", fault, StringComparison.Ordinal);
    }
}
