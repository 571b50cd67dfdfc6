using KeepAlive.Core;
using KeepAlive.Protocols;
using static KeepAlive.Tests.Protocols.HttpCases;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>HTTP/1.1: where a comment may go into a stream of events, where 102, and where nothing.</summary>
public sealed class HttpTests
{
    private const Leg ToClient = Leg.Downstream;
    private const string NotPlainStream = "in a response that is no plain stream of events";

    [Fact]
    public void A_comment_goes_between_two_chunks_as_a_chunk_of_its_own()
    {
        SessionBench bench = Stream("Transfer-Encoding: chunked\r\n\r\n");
        bench.AssertWithheld("the stream of events has not begun", ToClient).Say(Chunk("data: 1\n"));
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe(ToClient);
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Refreshed, "comment in the event stream"), "2\r\n:\n\r\n"), (attempt, Text(bytes)));
        bench.AssertProbed(ToClient)
            .Say(Server("8")).AssertWithheld("in the middle of a message", ToClient).Say(Server("\r\ndata:")).AssertWithheld("in the middle of a message", ToClient)
            .Say(Server(" 2\n")).AssertWithheld("in the middle of a message", ToClient).Say(Server("\r\n")).AssertProbed(ToClient)
            .Say(Chunk("data")).AssertWithheld("in the middle of a line", ToClient).Say(Chunk("\r")).AssertWithheld("in the middle of a line", ToClient).Say(Chunk("\n")).AssertProbed(ToClient)
            .Say(Server("0\r\n")).AssertWithheld("in the middle of a message", ToClient).Say(Server("\r\n")).AssertWithheld("no request is open", ToClient);
    }

    [Fact]
    public void Where_there_are_no_chunks_it_goes_at_the_start_of_a_line()
    {
        SessionBench bench = Stream("\r\n").Say(Server("data: 1")).AssertWithheld("in the middle of a line", ToClient).Say(Server("\n"));
        Assert.Equal(":\n", Text(bench.Probe(ToClient).Bytes));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100\r\n\r\na\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: br\r\n\r\na\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\na\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n")]
    public void Nothing_else_is_commented_on(string response) => new SessionBench(New(1)).Say(Get, Server(response)).AssertWithheld(NotPlainStream, ToClient);

    [Fact]
    public void While_a_response_is_awaited_102_is_said_only_where_asked_for()
    {
        new SessionBench(New(1)).AssertWithheld("no request is open", ToClient).Say(Get).AssertWithheld("a response is awaited: only 102 could be said meanwhile (--http-interim)", ToClient);
        SessionBench bench = new SessionBench(Informed(1)).Say(Get);
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe(ToClient);
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Refreshed, "102 Processing"), "HTTP/1.1 102 Processing\r\n\r\n"), (attempt, Text(bytes)));
        bench.AssertProbed(ToClient).Say(Server("HTTP/1.1 2")).AssertWithheld("in the middle of a message", ToClient)
            .Say(Server("00 OK\r\nContent-Length: 1\r\n\r\n")).AssertWithheld(NotPlainStream, ToClient).Say(Server("x")).AssertWithheld("no request is open", ToClient)
            .Say(Client("GET / HTTP/1.0\r\n\r\n")).AssertWithheld("a response is awaited by HTTP/1.0, which has no interim ones", ToClient);
        new SessionBench(Informed(1)).Say(Client("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na")).AssertWithheld("in the middle of a request", ToClient).Say(Client("b")).AssertProbed(ToClient)
            .Say(Client("G")).AssertWithheld("in the middle of a request", ToClient);
    }

    [Fact]
    public void Nothing_goes_to_a_server_and_nothing_to_a_session_that_ends()
    {
        Stream("\r\n").Say(Server("a\n")).AssertWithheld("HTTP/1.1 has nothing to say to a server beside requests: kernel keepalive only")
            .End(Leg.Downstream).AssertWithheld("the session is ending", ToClient);
    }

    [Theory]
    [InlineData("a request whose framing is not certain", "GET /\r\n\r\n", "")]
    [InlineData("a request whose framing is not certain", "SSH-2.0-x\r\n\r\n", "")]
    [InlineData("a request whose framing is not certain", "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", "")]
    [InlineData("a request whose framing is not certain", "GET / HTTP/1.1\r\nContent-Length : 1\r\n\r\n", "")]
    [InlineData("a request whose framing is not certain", "GET / HTTP/1.1\r\nno colon\r\n\r\n", "")]
    [InlineData("a request whose framing is not certain", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "")]
    [InlineData("a request whose framing is not certain", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "")]
    [InlineData("a request whose framing is not certain", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "")]
    [InlineData("a response whose framing is not certain", "GET / HTTP/1.1\r\n\r\n", "ICY 200 OK\r\n\r\n")]
    [InlineData("a response whose framing is not certain", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 99 no\r\n\r\n")]
    [InlineData("a chunk without a size", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n")]
    [InlineData("a chunk without a size", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")]
    [InlineData("a chunk without a size", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1x\r\n")]
    [InlineData("a chunk without a size", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\n")]
    [InlineData("a chunk that is too large", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n")]
    [InlineData("a chunk that is longer than it said", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab")]
    public void What_is_not_certain_makes_it_a_plain_relay(string why, string request, string response)
    {
        SessionBench bench = new SessionBench(New(1)).Say(Client(request));
        if (response.Length > 0) bench.Say(Server(response));
        Assert.Equal(($"{why}: not understood any more", true), (Assert.Single(bench.Notes).Text, bench.Protocol.IsPlain));
        bench.AssertWithheld("plain relay", ToClient);
        Assert.Equal((request, response), (Text(bench.ToServer.ToArray()), Text(bench.ToClient.ToArray())));
    }

    [Fact]
    public void An_answer_that_nobody_asked_for_and_a_crowd_of_requests_are_not_followed()
    {
        SessionBench bench = new SessionBench(New(1)).Say(Server("HTTP/1.1 408 Request Timeout\r\n\r\n"));
        Assert.Equal("the server answers before it is asked", Assert.Single(bench.Notes).Text);
        bench = new SessionBench(New(1)).Say(Enumerable.Repeat(Get, 101));
        Assert.Equal("100 requests are unanswered: not understood any more", Assert.Single(bench.Notes).Text);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nX: ")]
    [InlineData("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;")]
    public void What_has_no_end_is_not_kept(string start)
    {
        string endless = start + new string('x', 40_000);
        SessionBench bench = new SessionBench(New(1)).Say(Client(endless[..20]), Client(endless[20..]));
        Assert.True(bench.Protocol.IsPlain);
        Assert.Equal(endless.Length, bench.ToServer.Length);
    }

    private static SessionBench Stream(string restOfHead) => new SessionBench(New(1)).Say(Get, Server(EventStream + restOfHead));

    private static string Text(byte[] bytes) => string.Concat(bytes.Select(b => (char)b));
}
