using KeepAlive.Core;
using KeepAlive.Protocols.Http;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>Sessions of HTTP: requests, streams of events, WebSockets, HTTP/2.</summary>
internal static class HttpCases
{
    public const string Request = "GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    public const string Accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    public const string EventStream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n";

    private static readonly HttpOptions Eager = new() { Interim = true, PingEvery = TimeSpan.Zero };

    public static IReadOnlyList<ProtocolCase> All { get; } =
    [
        new("http", New, Requests(), NoAnswer) { IsProbed = false },
        new("http, interim responses", Informed, Requests(), NoAnswer) { IsAnswered = false },
        new("http, event stream in chunks", New, [.. Requests()[..2], .. Events(isChunked: true), .. Requests()], NoAnswer) { IsAnswered = false },
        new("http, event stream to the end", New, [.. Requests()[..2], .. Events(isChunked: false)], NoAnswer) { IsAnswered = false },
        new("http, compressed event stream", New, [Get, Server(EventStream + "Content-Encoding: gzip\r\n\r\n"), Server("x\n")], NoAnswer) { IsProbed = false },
        new("http, CONNECT", New, [Client("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"), Server("HTTP/1.1 200 OK\r\n\r\n"), Client(1, 2), Server(3)], NoAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("http, another protocol", New, [Get, Server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\n\r\n"), Client(1, 2), Server(3)], NoAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("http, lengths that contradict", New, [Client("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"), Server("HTTP/1.1 400 no\r\n\r\n")], NoAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("http, but TLS", New, [Client(0x16, 3, 1, 0, 2, 1, 0), Server(0x16, 3, 3, 0, 1, 2)], NoAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("websocket", New, WebSocketSession("\r\n", 0), WebSocketPong),
        new("websocket after requests", New, [.. Requests(), .. WebSocketSession("\r\n", 0)], WebSocketPong),
        new("websocket, permessage-deflate", New, WebSocketSession("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=15\r\n\r\n", 0x40), WebSocketPong),
        new("websocket, unknown extension", New, WebSocketSession("Sec-WebSocket-Extensions: x-other\r\n\r\n", 0), WebSocketPong, IsPlainAtEnd: true) { IsProbed = false },
        new("websocket, refused", New, [Client(Request), Server("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"), .. WebSocketSession("\r\n", 0)], WebSocketPong),
        new("http/2", Informed, Http2Session(), Http2Pong),
    ];

    public static HttpProtocol New(uint seed) => new(new HttpOptions(), new Http2Manners(new HttpOptions()), seed);

    public static HttpProtocol Informed(uint seed) => new(Eager, new Http2Manners(Eager), seed);

    public static WireMessage Get => Client("GET /poll HTTP/1.1\r\nHost: a.example\r\n\r\n");

    public static WireMessage Chunk(string text) => Server($"{text.Length:x}\r\n{text}\r\n");

    /// <summary>A frame of a WebSocket.</summary>
    public static WireMessage Frame(Leg from, byte first, params byte[] payload)
    {
        byte[] key = from == Leg.Downstream ? [0x37, 0xFA, 0x21, 0x3D] : [];
        byte mask = (byte)(key.Length > 0 ? 0x80 : 0);
        byte[] length = payload.Length < 126 ? [(byte)(payload.Length | mask)]
            : payload.Length < 65536 ? [(byte)(126 | mask), (byte)(payload.Length >> 8), (byte)payload.Length]
            : [(byte)(127 | mask), 0, 0, 0, 0, 0, (byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length];
        return new WireMessage(from, [first, .. length, .. key, .. payload.Select((b, i) => key.Length > 0 ? (byte)(b ^ key[i % 4]) : b)]);
    }

    // A ping's payload, in a pong.
    public static byte[]? WebSocketPong(Leg of, byte[] ping)
    {
        int key = of == Leg.Upstream ? 4 : 0;
        byte[] payload = [.. ping[(2 + key)..].Select((b, i) => key > 0 ? (byte)(b ^ ping[2 + (i % 4)]) : b)];
        return Frame(of, 0x8A, payload).Bytes;
    }

    private static WireMessage[] WebSocketSession(string restOfHead, byte rsv1)
    {
        Leg client = Leg.Downstream, server = Leg.Upstream;
        byte[] foreign = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        return
        [
            Client(Request), Server(Accepted + restOfHead),
            Frame(client, (byte)(0x81 | rsv1), "hello"u8.ToArray()), Frame(server, (byte)(0x82 | rsv1), new byte[300]),
            Frame(client, (byte)(0x01 | rsv1), "in "u8.ToArray()), Frame(client, 0x89, foreign), Frame(server, 0x8A, foreign), Frame(client, 0x00, "three "u8.ToArray()),
            Frame(server, 0x89), Frame(client, 0x8A), Frame(client, 0x80, "parts"u8.ToArray()), Frame(server, 0x8A, 1, 2, 3), // a pong nobody asked for
            Frame(server, (byte)(0x82 | rsv1), new byte[70_000]), Frame(client, (byte)(0x82 | rsv1)), Frame(server, 0x88, 3, 232), Frame(client, 0x88, 3, 232),
        ];
    }

    public static WireMessage Preface => Client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    /// <summary>A frame of HTTP/2.</summary>
    public static WireMessage Frame2(Leg from, Http2Kind kind, byte flags, int stream, params byte[] payload) =>
        new(from, [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, (byte)kind, flags, 0, 0, (byte)(stream >> 8), (byte)stream, .. payload]);

    private static byte[]? NoAnswer(Leg of, byte[] probe) => null;

    public static byte[]? Http2Pong(Leg of, byte[] ping) => Frame2(of, Http2Kind.Ping, 1, 0, ping[9..]).Bytes;

    private static WireMessage[] Requests() =>
    [
        Get, Server("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + new string('b', 5000)),
        Client("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), Server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"),
        Client("POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"), Server("HTTP/1.1 100 Continue\r\n\r\n"),
        Client("5;name=\"va;lue\"\r\nhello\r\n"), Client("1A \r\nabcdefghijklmnopqrstuvwxyz\r\n"), Client("000\r\nTrailer: x\r\n\r\n"), Server("HTTP/1.1 204 No Content\r\n\r\n"),
        Get, Server("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
        Get, Get, Server("HTTP/1.1 102 Processing\r\n\r\n"), Server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ];

    private static WireMessage[] Events(bool isChunked)
    {
        WireMessage say(string text) => isChunked ? Chunk(text) : Server(text);
        return
        [
            Get, Server(EventStream + (isChunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Connection: close\r\n\r\n")),
            say("retry: 100\n"), say("data: one\n"), say("\n"), say("data: in the mid"), say("dle\n"), say($"data: {new string('d', 3000)}\n"), say("\n"), .. isChunked ? [Server("0\r\n\r\n")] : (WireMessage[])[],
        ];
    }

    private static WireMessage[] Http2Session()
    {
        Leg client = Leg.Downstream, server = Leg.Upstream;
        byte[] foreign = [1, 2, 3, 4, 5, 6, 7, 8];
        return
        [
            Preface, Frame2(client, Http2Kind.Settings, 0, 0, 0, 4, 0, 1, 0, 0), Frame2(server, Http2Kind.Settings, 0, 0), Frame2(server, Http2Kind.Settings, 1, 0), Frame2(client, Http2Kind.Settings, 1, 0),
            // A block of fields is one message: nothing may come between its frames.
            Client([.. Frame2(client, Http2Kind.Headers, 0, 1, 9, 9, 9).Bytes, .. Frame2(client, Http2Kind.Continuation, 0, 1, 8).Bytes, .. Frame2(client, Http2Kind.Continuation, 4, 1, 7).Bytes]),
            Frame2(client, Http2Kind.Data, 0, 1, new byte[5000]), Frame2(client, Http2Kind.Ping, 0, 0, foreign), Frame2(server, Http2Kind.Ping, 1, 0, foreign), Frame2(server, Http2Kind.Ping, 0, 0, foreign), Frame2(client, Http2Kind.Ping, 1, 0, foreign),
            Server([.. Frame2(server, Http2Kind.Headers, 0, 1, 9).Bytes, .. Frame2(server, Http2Kind.Continuation, 4, 1, 8).Bytes]), Frame2(server, (Http2Kind)8, 0, 1, 0, 0, 1, 0), Frame2(server, Http2Kind.Data, 0, 1, new byte[300]),
            Frame2(server, Http2Kind.GoAway, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0), Frame2(client, Http2Kind.Data, 1, 1), Frame2(server, Http2Kind.Headers, 5, 1, 9),
        ];
    }
}
