using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Mqtt;
using static KeepAlive.Tests.Protocols.ProtocolCases;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>MQTT: when a PINGREQ may go, and whose PINGRESP is whose.</summary>
public sealed class MqttTests
{
    private const string NotYet = "the client is not connected yet";

    [Fact]
    public void A_PINGREQ_is_sent_and_its_answer_swallowed()
    {
        SessionBench bench = Connected();
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe();
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Sent, "PINGREQ"), "C000"), (attempt, Convert.ToHexString(bytes)));
        long before = bench.ToClient.Length;
        bench.Now += TimeSpan.FromMilliseconds(3);
        bench.Say(Server(0xD0, 0));
        Assert.Equal(before, bench.ToClient.Length);
        Note note = Assert.Single(bench.Notes);
        Assert.Equal((FlowEventKind.ProbeAnswered, TimeSpan.FromMilliseconds(3)), (note.Kind, note.Took));
    }

    [Fact]
    public void A_PINGREQ_of_the_clients_that_meets_ours_gets_its_own_answer()
    {
        SessionBench bench = Connected().AssertProbed().AssertProbed().Say(Client(0xC0, 0)).AssertWithheld("a PINGREQ of the client's is unanswered");
        long before = bench.ToClient.Length;
        bench.Say(Server(0xD0, 0), Server(0xD0, 0));
        Assert.Equal(before, bench.ToClient.Length);
        bench.Say(Server(0xD0, 0));
        Assert.Equal(before + 2, bench.ToClient.Length);
        bench.AssertProbed();
    }

    [Fact]
    public void None_before_the_client_is_let_in_or_after_either_end_has_said_goodbye()
    {
        var bench = new SessionBench(new MqttProtocol(SessionBench.Start));
        bench.AssertWithheld(NotYet).Say(MqttConnect).AssertWithheld(NotYet).Say(Server(0x20, 2, 0, 0)).AssertProbed();
        Connected().Say(Client(0xE0, 0)).AssertWithheld("the session is ending");
        Connected().Say(Server(0xE0, 1, 0x8B)).AssertWithheld("the session is ending");
        new SessionBench(new MqttProtocol(SessionBench.Start)).Say(MqttConnect, Server(0x20, 2, 0, 5)).AssertWithheld("the session is ending");
        // Version 5: properties behind the code.
        new SessionBench(new MqttProtocol(SessionBench.Start)).Say(MqttConnect, Server([0x20, 0x82, 1, 0, 0, 0x7F, .. new byte[127]])).AssertProbed();
    }

    [Theory]
    [InlineData("TLS from the first byte: encrypted, kernel keepalive only", new byte[] { 0x16, 3, 1 })]
    [InlineData("not MQTT: not understood", new byte[] { (byte)'G', (byte)'E', (byte)'T' })]
    [InlineData("not MQTT: not understood any more", new byte[] { 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 1 })]
    public void What_is_no_packet_makes_it_a_plain_relay(string why, byte[] bytes)
    {
        SessionBench bench = new SessionBench(new MqttProtocol(SessionBench.Start)).Say(Client(bytes));
        Assert.Equal((why, true), (Assert.Single(bench.Notes).Text, bench.Protocol.IsPlain));
        Assert.Equal(bytes, bench.ToServer.ToArray());
    }

    private static SessionBench Connected() => new SessionBench(new MqttProtocol(SessionBench.Start)).Say(MqttConnect, Server(0x20, 2, 0, 0));
}
