using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.PostgreSql;
using static KeepAlive.Tests.Protocols.ProtocolCases;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>PostgreSQL: when a Sync may go, and whose ReadyForQuery is whose.</summary>
public sealed class PostgreSqlTests
{
    private const string Open = "a query is open";
    private const string NotYet = "the session has not begun yet";

    [Fact]
    public void A_Sync_is_sent_and_its_answer_swallowed_behind_what_comes_unasked()
    {
        SessionBench bench = LoggedIn();
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe();
        Assert.Equal(new ProbeAttempt(ProbeOutcome.Sent, "Sync"), attempt);
        Assert.Equal("5300000004", Convert.ToHexString(bytes));
        long before = bench.ToClient.Length;
        WireMessage notice = Message(Leg.Upstream, 'N', "SNOTICE\0\0");
        bench.Now += TimeSpan.FromMilliseconds(7);
        bench.Say(notice, Ready());
        Assert.Equal(before + notice.Bytes.Length, bench.ToClient.Length);
        Note note = Assert.Single(bench.Notes);
        Assert.Equal((FlowEventKind.ProbeAnswered, TimeSpan.FromMilliseconds(7)), (note.Kind, note.Took));
        bench.AssertProbed().AssertProbed(); // who leaves them unanswered is dead
        before = bench.ToClient.Length;
        bench.Say(Ready(), Ready());
        Assert.Equal(before, bench.ToClient.Length);
    }

    [Fact]
    public void A_query_that_meets_our_Sync_gets_its_own_answer()
    {
        SessionBench bench = LoggedIn().AssertProbed().Say(Query("SELECT 1"));
        long before = bench.ToClient.Length;
        bench.Say(Ready());
        Assert.Equal(before, bench.ToClient.Length);
        bench.AssertWithheld(Open).Say(Message(Leg.Upstream, 'C', "SELECT 1\0"), Ready()).AssertProbed();
        Assert.Equal(before + 14 + 6, bench.ToClient.Length);
    }

    [Fact]
    public void None_before_the_session_is_there()
    {
        var bench = new SessionBench(new PostgreSqlProtocol(SessionBench.Start));
        bench.AssertWithheld(NotYet).Say(EncryptionRequest(80877103)).AssertWithheld(NotYet).Say(Server("N")).AssertWithheld(NotYet)
            .Say(Startup("user", "u")).AssertWithheld(NotYet).Say(Message(Leg.Upstream, 'R', "\0\0\0\0")).AssertWithheld(NotYet).Say(Ready()).AssertProbed();
    }

    [Fact]
    public void None_with_a_query_open_of_several_too()
    {
        LoggedIn().Say(Query("SELECT 1"), Query("SELECT 2")).AssertWithheld(Open).Say(Ready()).AssertWithheld(Open).Say(Ready()).AssertProbed();
    }

    [Theory]
    [InlineData('T')]
    [InlineData('E')]
    public void None_in_a_transaction(char status) =>
        LoggedIn().Say(Query("BEGIN"), Ready(status)).AssertWithheld("in a transaction").Say(Query("COMMIT"), Ready()).AssertProbed();

    [Fact]
    public void None_in_a_pipeline_whose_first_half_it_would_commit()
    {
        SessionBench bench = LoggedIn();
        foreach (char kind in "PBDE") bench.Say(Message(Leg.Downstream, kind, "\0\0\0\0")).AssertWithheld(Open);
        bench.Say(Message(Leg.Downstream, 'H')).AssertWithheld(Open).Say(Message(Leg.Upstream, '1')).AssertWithheld(Open)
            .Say(Message(Leg.Downstream, 'S')).AssertWithheld(Open).Say(Ready()).AssertProbed();
        // The next one has begun before the last is answered.
        bench.Say(Ready()).Say(Message(Leg.Downstream, 'P', "\0"), Message(Leg.Downstream, 'S'), Message(Leg.Downstream, 'P', "\0"), Ready()).AssertWithheld(Open);
    }

    [Fact]
    public void None_in_COPY_which_never_answers_it()
    {
        LoggedIn().Say(Query("COPY t FROM STDIN"), Message(Leg.Upstream, 'G', "\0\0\0")).AssertWithheld(Open)
            .Say(Message(Leg.Downstream, 'd', "1\n")).AssertWithheld(Open).Say(Message(Leg.Downstream, 'c')).AssertWithheld(Open)
            .Say(Message(Leg.Upstream, 'C', "COPY 1\0"), Ready()).AssertProbed();
    }

    [Fact]
    public void None_for_replication_for_a_cancel_request_or_after_goodbye()
    {
        SessionOf(Startup("user", "u", "replication", "database")).AssertWithheld("a replication session, or a startup too long to tell");
        SessionOf(Startup("user", "replication", "replication", "false")).AssertProbed();
        LoggedIn().Say(Message(Leg.Downstream, 'X')).AssertWithheld("the session is ending");
        new SessionBench(new PostgreSqlProtocol(SessionBench.Start)).Say(Client(0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 2)).AssertWithheld("the session is ending");
    }

    [Fact]
    public void None_longer_than_asked_for()
    {
        var bench = new SessionBench(new PostgreSqlProtocol(SessionBench.Start, TimeSpan.FromHours(2))).Say(Startup("user", "u"), Ready());
        bench.Now += TimeSpan.FromHours(3);
        Assert.Equal(ProbeOutcome.Withheld, bench.Probe().Attempt.Outcome);
    }

    [Theory]
    [InlineData("TLS from the first byte: encrypted, kernel keepalive only", new byte[] { 0x16, 3, 1, 0 })]
    [InlineData("not PostgreSQL's protocol: not understood any more", new byte[] { (byte)'G', (byte)'E' })]
    [InlineData("not PostgreSQL's protocol: not understood any more", new byte[] { 0, 0, 0, 4, 0, 3, 0, 0 })]
    [InlineData("not version 3 of PostgreSQL's protocol: not understood any more", new byte[] { 0, 0, 0, 9, 0, 2, 0, 0, 0 })]
    public void What_is_no_startup_makes_it_a_plain_relay(string why, byte[] bytes)
    {
        SessionBench bench = new SessionBench(new PostgreSqlProtocol(SessionBench.Start)).Say(Client(bytes));
        Assert.Equal((why, true), (Assert.Single(bench.Notes).Text, bench.Protocol.IsPlain));
        Assert.Equal(bytes, bench.ToServer.ToArray());
    }

    [Fact]
    public void Who_cannot_be_served_is_told_so_that_clients_understand() =>
        Assert.Equal(PostgreSqlMessage.Refusal.Length, PostgreSqlMessage.Measure(PostgreSqlMessage.Refusal).Bytes);

    private static WireMessage Query(string text) => Message(Leg.Downstream, 'Q', text + "\0");

    private static SessionBench LoggedIn() => SessionOf(Startup("user", "u", "database", "d"));

    private static SessionBench SessionOf(WireMessage startup) =>
        new SessionBench(new PostgreSqlProtocol(SessionBench.Start)).Say(startup, Message(Leg.Upstream, 'R', "\0\0\0\0"), Ready());
}
