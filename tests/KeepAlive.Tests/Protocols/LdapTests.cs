using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ldap;
using static KeepAlive.Tests.Protocols.ProtocolCases;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>LDAP: what goes out, and where nothing may.</summary>
public sealed class LdapTests
{
    [Fact]
    public void An_Abandon_is_what_servers_took()
    {
        (ProbeAttempt attempt, byte[] bytes) = Bound().Probe();
        Assert.Equal(new ProbeAttempt(ProbeOutcome.Refreshed, "Abandon"), attempt);
        Assert.Equal("300C02047FFFFFFF50047FFFFFFE", Convert.ToHexString(bytes));
    }

    [Fact]
    public void Each_has_IDs_of_its_own_downwards()
    {
        SessionBench bench = Bound();
        Assert.Equal(["7FFFFFFF7FFFFFFE", "7FFFFFFD7FFFFFFC", "7FFFFFFB7FFFFFFA"],
            Enumerable.Range(0, 3).Select(_ => Convert.ToHexString(bench.Probe().Bytes)).Select(hex => hex[8..16] + hex[20..28]));
    }

    [Fact]
    public void A_search_is_what_servers_took_and_its_answers_are_swallowed()
    {
        SessionBench bench = Bound(LdapProbe.Search);
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe();
        Assert.Equal(ProbeOutcome.Sent, attempt.Outcome);
        Assert.Equal("302D02047FFFFFFF632504000A01000A0100020100020100010100870B6F626A656374436C61737330050403312E31", Convert.ToHexString(bytes));
        long before = bench.ToClient.Length;
        bench.Now += TimeSpan.FromMilliseconds(4);
        bench.Say(Server(0x30, 0x0C, 2, 4, 0x7F, 0xFF, 0xFF, 0xFF, 0x64, 4, 4, 0, 0x30, 0), Server(0x30, 0x0F, 2, 4, 0x7F, 0xFF, 0xFF, 0xFF, 0x65, 7, 10, 1, 50, 4, 0, 4, 0));
        Assert.Equal(before, bench.ToClient.Length);
        Note note = Assert.Single(bench.Notes);
        Assert.Equal((FlowEventKind.ProbeAnswered, "result 50", TimeSpan.FromMilliseconds(4)), (note.Kind, note.Text, note.Took));
    }

    [Fact]
    public void None_before_the_first_answer_or_while_a_bind_runs()
    {
        const string Binds = "a bind is under way";
        var bench = new SessionBench(new LdapProtocol(new LdapOptions(), SessionBench.Start));
        bench.AssertWithheld("nothing was answered yet").Say(Search(1)).AssertWithheld("nothing was answered yet").Say(SearchDone(1)).AssertProbed()
            .Say(SaslBind(2, "CRAM-MD5")).AssertWithheld(Binds).Say(BindAnswer(2, 14)).AssertWithheld(Binds) // between its steps: slapd answers with nonsense
            .Say(SaslBind(3, "CRAM-MD5")).AssertWithheld(Binds).Say(BindAnswer(3, 0)).AssertProbed()
            .Say(SimpleBind(4)).AssertWithheld(Binds).Say(BindAnswer(4, 49)).AssertProbed();
    }

    [Theory]
    [InlineData("GSSAPI", true)]
    [InlineData("GSS-SPNEGO", true)]
    [InlineData("DIGEST-MD5", true)]
    [InlineData("NTLM", true)]
    [InlineData("EXTERNAL", false)]
    [InlineData("PLAIN", false)]
    [InlineData("SCRAM-SHA-256", false)]
    [InlineData("OAUTHBEARER", false)]
    public void None_after_a_bind_that_may_encrypt_until_the_client_has_shown_that_it_did_not(string mechanism, bool may)
    {
        SessionBench bench = Bound().Say(SaslBind(5, mechanism)).Say(BindAnswer(5, 0));
        if (may) bench.AssertWithheld("the session may be encrypted from here");
        bench.Say(Search(6)).AssertProbed().Say(SearchDone(6)).AssertProbed();
    }

    [Fact]
    public void None_while_StartTLS_runs_and_none_ever_after_it()
    {
        SessionBench bench = Bound().Say(StartTls(5)).AssertWithheld("StartTLS is under way").Say(StartTlsAnswer(5, 52)).AssertProbed();
        bench.Now += LdapProtocol.StartTlsGap;
        bench.Say(StartTls(6)).AssertWithheld("StartTLS is under way").Say(StartTlsAnswer(6, 0)).AssertWithheld("plain relay");
        Assert.Equal("StartTLS: encrypted from here, kernel keepalive only", bench.Notes[^1].Text);
    }

    [Fact]
    public void StartTLS_right_behind_an_Abandon_waits()
    {
        SessionBench bench = Bound().AssertProbed();
        bench.Now += TimeSpan.FromMilliseconds(10);
        long before = bench.ToServer.Length;
        bench.Say(StartTls(5));
        Assert.Equal((true, before), (bench.Protocol.IsHolding(Leg.Downstream), bench.ToServer.Length));
        bench.AssertWithheld("a message of the client's waits");
        bench.Now = bench.Protocol.Deadline;
        bench.Deadline();
        Assert.Equal((false, before + StartTls(5).Bytes.Length), (bench.Protocol.IsHolding(Leg.Downstream), bench.ToServer.Length));
        bench.AssertWithheld("StartTLS is under way");
    }

    [Fact]
    public void What_waits_goes_on_when_the_client_ends()
    {
        SessionBench bench = Bound().AssertProbed().Say(StartTls(5)).End(Leg.Downstream);
        Assert.Equal((false, Instant.Never), (bench.Protocol.IsHolding(Leg.Downstream), bench.Protocol.Deadline));
        Assert.Equal(StartTls(5).Bytes, bench.ToServer.ToArray()[^StartTls(5).Bytes.Length..]);
    }

    [Fact]
    public void None_after_Unbind_and_none_with_a_client_whose_IDs_are_where_ours_are()
    {
        Bound().Say(Client(0x30, 5, 2, 1, 9, 0x42, 0)).AssertWithheld("the client has said goodbye");
        SessionBench bench = Bound().Say(Client(0x30, 0x08, 2, 4, 0x7F, 0xFF, 0xFF, 0x00, 0x42, 0));
        Assert.True(bench.Protocol.IsPlain);
    }

    [Fact]
    public void None_once_the_client_has_been_idle_for_as_long_as_servers_allow()
    {
        SessionBench bench = Bound();
        bench.Now += LdapOptions.IdleAgeDefault;
        bench.AssertProbed();
        bench.Now += TimeSpan.FromSeconds(1);
        bench.AssertWithheld("no command from the client for 15m0s: the server's own idle policy rules (--hold to override)").Say(Search(2)).AssertProbed();
    }

    [Theory]
    [InlineData("TLS from the first byte: encrypted, kernel keepalive only", new byte[] { 0x16, 3, 1 })]
    [InlineData("not LDAP, or encrypted from here: kernel keepalive only", new byte[] { 0, 0, 1, 0 })]
    [InlineData("a length that LDAP does not allow: not understood any more", new byte[] { 0x30, 0x80, 2, 1, 1 })]
    [InlineData("a length that LDAP does not allow: not understood any more", new byte[] { 0x30, 0x85, 0, 0, 0, 0, 5, 2, 1, 1 })]
    [InlineData("not LDAP: not understood any more", new byte[] { 0x30, 5, 4, 1, 1, 0x42, 0 })]
    public void What_is_no_message_makes_it_a_plain_relay(string why, byte[] bytes)
    {
        SessionBench bench = Bound().Say(Client(bytes));
        Assert.Equal(why, Assert.Single(bench.Notes).Text);
        Assert.Equal(bytes, bench.ToServer.ToArray()[^bytes.Length..]);
    }

    [Fact]
    public void Who_cannot_be_served_is_told_in_LDAP()
    {
        var refusal = new LdapMessage(LdapProtocol.Refusal);
        Assert.Equal((0, 52, LdapProtocol.Refusal.Length), (refusal.Id, refusal.ResultCode, (int)LdapMessage.Measure(LdapProtocol.Refusal).Bytes));
    }

    private static SessionBench Bound(LdapProbe probe = LdapProbe.Abandon) =>
        new SessionBench(new LdapProtocol(new LdapOptions { Probe = probe }, SessionBench.Start)).Say(SimpleBind(1), BindAnswer(1, 0));
}
