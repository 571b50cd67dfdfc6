using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Protocols;

/// <summary>Whose reply is it: one case a trap.</summary>
public sealed class FtpMatchingTests
{
    private readonly FtpServer _server = new();
    private readonly FtpBench _bench;

    public FtpMatchingTests() => _bench = new FtpBench(server: _server).LogIn();

    [Fact]
    public void An_answer_that_crosses_the_226_is_swallowed_and_says_nothing_of_the_server()
    {
        StartTransfer();
        Assert.Equal(ProbeOutcome.Refreshed, _bench.Probe().Outcome);
        _bench.Server("226 done\r\n200 ours\r\n");
        Assert.Equal("226 done\r\n", _bench.ClientSaw);
        Assert.Equal(FtpServerKind.Unknown, _server.KindOf(upload: false));
    }

    [Fact]
    public void The_226_goes_on_before_the_answer_and_the_next_command_waits_for_that_alone()
    {
        StartTransfer();
        _bench.Probe();
        After(5);
        _bench.Server("226 done\r\n");
        Assert.Equal("226 done\r\n", _bench.ClientSaw);
        _bench.Client("SIZE a\r\n");
        Assert.Equal("NOOP\r\n", _bench.ServerSaw);
        Assert.True(_bench.Protocol.IsHolding(Leg.Downstream));
        _bench.Server("200 ours\r\n");
        Assert.Equal("NOOP\r\nSIZE a\r\n", _bench.ServerSaw);
        Assert.False(_bench.Protocol.IsHolding(Leg.Downstream));
        Assert.Equal(FtpServerKind.Deferred, _server.KindOf(upload: false));
    }

    [Fact]
    public void A_long_transfer_of_a_deferred_server_gets_further_noops_each_answered_after_it()
    {
        StartTransfer();
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal("NOOP", _bench.Probe().Text);
            After(10);
        }

        _bench.Server("226 done\r\n200 1\r\n200 2\r\n200 3\r\n200 4\r\n200 5\r\n");
        Assert.Equal(("226 done\r\n", 0), (_bench.ClientSaw, _bench.Protocol.Owed));
    }

    [Fact]
    public void A_bound_on_noops_in_the_air()
    {
        StartTransfer();
        for (int i = 0; i < 200; i++)
        {
            _bench.Probe();
            After(10);
        }

        Assert.Equal(FtpProbes.OwedMax, _bench.Protocol.Owed);
    }

    [Fact]
    public void One_noop_at_a_time_until_the_server_has_had_time_to_answer()
    {
        StartTransfer();
        _bench.Probe();
        After(1);
        Assert.Equal(ProbeOutcome.Withheld, _bench.Probe().Outcome);
        After(1);
        Assert.Equal(ProbeOutcome.Refreshed, _bench.Probe().Outcome);
    }

    [Fact]
    public void An_immediate_server_that_turns_to_sendfile_gets_further_noops()
    {
        StartTransfer();
        _bench.Probe();
        _bench.Server("200 ours\r\n226 done\r\n");
        Assert.Equal(FtpServerKind.Immediate, _server.KindOf(upload: false));
        StartTransfer();
        _bench.Probe();
        After(10);
        Assert.Equal(ProbeOutcome.Refreshed, _bench.Probe().Outcome);
        _bench.Server("226 done\r\n200 ours\r\n200 ours\r\n");
        Assert.Equal(FtpServerKind.Deferred, _server.KindOf(upload: false));
        Assert.Equal("226 done\r\n", _bench.ClientSaw);
    }

    [Fact]
    public void A_silent_server_is_found_out_once_and_left_alone_then()
    {
        StartTransfer();
        _bench.Probe();
        After(5);
        _bench.Server("226 done\r\n");
        _bench.Client("CWD a\r\n");
        Assert.Equal(_bench.Now + FtpProtocol.HoldMax, _bench.Protocol.Deadline);
        Deadline();
        Assert.EndsWith("PWD\r\n", _bench.ServerSaw, StringComparison.Ordinal);
        _bench.Server("257 \"/\"\r\n");
        Assert.EndsWith("CWD a\r\n", _bench.ServerSaw, StringComparison.Ordinal);
        _bench.Server("250 there\r\n");
        Assert.Equal("226 done\r\n250 there\r\n", _bench.ClientSaw);
        Assert.Equal(FtpServerKind.Silent, _server.KindOf(upload: false));
        StartTransfer();
        Assert.Contains("never answers", _bench.Probe().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_sent_in_the_transfer_does_not_hide_our_pwd()
    {
        StartTransfer();
        _bench.Probe();
        After(5);
        _bench.Client("STAT\r\n");
        _bench.Server("226 done\r\n");
        _bench.Client("CWD a\r\n");
        Deadline();
        _bench.Server("257 \"/\"\r\n");
        Assert.Equal("226 done\r\n", _bench.ClientSaw);
        Assert.EndsWith("CWD a\r\n", _bench.ServerSaw, StringComparison.Ordinal);
    }

    [Fact]
    public void The_failure_of_the_clients_own_command_is_not_taken_for_a_noop_never_answered()
    {
        StartTransfer();
        _bench.Probe();
        After(5);
        _bench.Client("SIZE a\r\n");
        _bench.Server("226 done\r\n550 no such file\r\n");
        Assert.Equal("226 done\r\n550 no such file\r\n", _bench.ClientSaw);
    }

    [Fact]
    public void A_held_command_goes_on_when_neither_noop_nor_pwd_is_answered_and_replies_still_find_their_way()
    {
        _bench.Probe();
        _bench.Client("CWD a\r\n");
        Deadline();
        Assert.Equal(_bench.Now + FtpProtocol.StraightMax, _bench.Protocol.Deadline);
        Deadline();
        Assert.Equal("NOOP\r\nPWD\r\nCWD a\r\n", _bench.ServerSaw);
        _bench.Server("200 late\r\n257 late\r\n250 there\r\n");
        Assert.Equal("250 there\r\n", _bench.ClientSaw);
    }

    [Fact]
    public void A_second_226_is_not_the_answer_to_the_next_pasv()
    {
        StartTransfer();
        _bench.Server("226 done\r\n");
        _bench.Client("PASV\r\n");
        _bench.Server("226 done again\r\n227 Entering (10,0,0,9,195,80)\r\n");
        Assert.Equal("226 done\r\n226 done again\r\n227 Entering (198,51,100,7,156,64)\r\n", _bench.ClientSaw);
    }

    [Fact]
    public void A_second_226_is_not_the_answer_to_ours()
    {
        StartTransfer();
        _bench.Probe();
        _bench.Server("226 done\r\n226 done again\r\n200 ours\r\n");
        Assert.Equal("226 done\r\n226 done again\r\n", _bench.ClientSaw);
    }

    [Fact]
    public void A_second_226_is_not_the_end_of_a_transfer_that_waits_behind_our_noop()
    {
        StartTransfer();
        _bench.Probe();
        After(5);
        _bench.Client("RETR g\r\n");
        _bench.Server("226 done\r\n226 done again\r\n200 ours\r\n150 g\r\n");
        Assert.Equal("226 done\r\n226 done again\r\n150 g\r\n", _bench.ClientSaw);
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "550 broken\r\n")]
    public void A_550_ends_a_transfer_whose_data_connection_is_closed(bool dataOpen, string seen)
    {
        StartTransfer();
        _bench.Probe();
        _bench.Data.IsOpen = dataOpen;
        _bench.Server("550 broken\r\n");
        Assert.Equal(seen, _bench.ClientSaw);
    }

    [Fact]
    public void A_550_ends_the_transfer_of_a_server_known_to_answer_noop_with_200()
    {
        StartTransfer();
        _bench.Probe();
        _bench.Server("200 ours\r\n226 done\r\n");
        StartTransfer();
        _bench.Probe();
        _bench.Data.IsOpen = true;
        _bench.Server("550 broken\r\n200 ours\r\n");
        Assert.Equal("550 broken\r\n", _bench.ClientSaw);
    }

    [Fact]
    public void A_line_of_the_clients_is_not_read_together_with_our_noop_where_one_500_answers_both()
    {
        StartTransfer();
        _bench.Probe();
        _bench.Client("ABOR\r\n");
        Assert.Equal("NOOP\r\n", _bench.ServerSaw);
        _bench.Server("500 Unknown command\r\n");
        Assert.Equal("NOOP\r\nABOR\r\n", _bench.ServerSaw);
        Assert.Equal(0, _bench.Data.Closed);
        _bench.Server("426 cut\r\n226 aborted\r\n");
        Assert.Equal("426 cut\r\n226 aborted\r\n", _bench.ClientSaw);
    }

    [Fact]
    public void An_abort_behind_a_noop_unread_ends_the_data_connection_as_well()
    {
        StartTransfer();
        _bench.Probe();
        After(5);
        _bench.Client("\u00FF\u00F4\u00FF\u00F2ABOR\r\n");
        Assert.EndsWith("ABOR\r\n", _bench.ServerSaw, StringComparison.Ordinal);
        Assert.Equal(1, _bench.Data.Closed);
        _bench.Server("426 cut\r\n200 ours\r\n226 aborted\r\n");
        Assert.Equal("426 cut\r\n226 aborted\r\n", _bench.ClientSaw);
    }

    [Fact]
    public void A_refused_port_in_mid_transfer_is_answered_in_its_turn()
    {
        StartTransfer();
        _bench.Client("PORT 203,0,113,9,0,25\r\nSTAT\r\n");
        _bench.Server("211 status\r\n226 done\r\n");
        Assert.Equal("211 status\r\n226 done\r\n500 Illegal PORT command.\r\n", _bench.ClientSaw);
        Assert.Equal(0, _bench.Protocol.PendingCount);
    }

    [Fact]
    public void A_refusal_never_lands_in_the_middle_of_a_reply()
    {
        _bench.Server("421-closing");
        _bench.Client("PORT 203,0,113,9,0,25\r\n");
        _bench.Server(" soon\r\n421 now\r\n");
        Assert.Equal("421-closing soon\r\n421 now\r\n500 Illegal PORT command.\r\n", _bench.ClientSaw);
    }

    [Fact]
    public void A_held_line_that_goes_on_at_the_clients_end_is_still_known()
    {
        _bench.Probe();
        _bench.Client("QUIT\r\n");
        _bench.End(Leg.Downstream);
        Assert.Equal("NOOP\r\nQUIT\r\n", _bench.ServerSaw);
        _bench.Server("221 bye\r\n");
        Assert.Equal("221 bye\r\n", _bench.ClientSaw);
    }

    private void StartTransfer()
    {
        _bench.Client("RETR f\r\n");
        _bench.Server("150 here\r\n");
        _bench.ToClient.SetLength(0);
        _bench.ToServer.SetLength(0);
    }

    private void After(double seconds) => _bench.Now += TimeSpan.FromSeconds(seconds);

    private void Deadline()
    {
        _bench.Now = _bench.Protocol.Deadline;
        _bench.Deadline();
    }
}
