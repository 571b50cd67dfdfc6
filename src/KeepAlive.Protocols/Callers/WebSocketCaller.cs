using System.Buffers.Binary;
using KeepAlive.Protocols.Framing;
using KeepAlive.Protocols.Http;
using KeepAlive.Protocols.WebSocket;

namespace KeepAlive.Protocols.Callers;

/// <summary>Asks for a WebSocket (RFC 6455 section 4.1), and answers the server's pings.</summary>
internal sealed class WebSocketCaller(CallDetails call) : FrameCaller
{
    // A close with no reason, masked with a key of zeros.
    private static readonly byte[] Close = [0x88, 0x80, 0, 0, 0, 0];

    private readonly HttpHead _head = new();

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye => Close;

    /// <inheritdoc/>
    public override void Begin()
    {
        byte[] key = new byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(key, call.Seed * 0x9E3779B97F4A7C15);
        SayLine($"GET {HttpText.PathOf(call)} HTTP/1.1\r\nHost: {call.Host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {Convert.ToBase64String(key)}\r\n{HttpText.Login(call)}");
    }

    /// <inheritdoc/>
    protected override FrameMeasure Measure(ReadOnlySpan<byte> start)
    {
        if (State == CallState.Ready) return WebSocketFrame.Measure(start, isClients: false, isDeflated: false);
        int end = start.IndexOf("\r\n\r\n"u8);
        return end >= 0 ? FrameMeasure.Of(end + 4) : start.Length < HttpHead.BytesMax ? FrameMeasure.NeedsMore : FrameMeasure.Doubtful("a head that is too long for HTTP");
    }

    /// <inheritdoc/>
    protected override void OnFrame(ReadOnlySpan<byte> frame)
    {
        if (State == CallState.Opening)
        {
            _head.Add(frame);
            if (HttpResponse.Read(_head)?.Status is not { } status) Surrender($"'{_head.StartLine}' is no answer of HTTP's");
            else if (status == 101) Open();
            else if (status >= 200) Refuse($"no WebSocket there: {_head.StartLine}");
        }
        else if (State == CallState.Ready)
        {
            var read = new WebSocketFrame(frame);
            if (read.Opcode != WebSocketOpcode.Ping) return;
            Span<byte> payload = stackalloc byte[frame.Length];
            int length = read.Unmask(payload);
            Say([0x8A, (byte)(0x80 | length), 0, 0, 0, 0, .. payload[..length]]); // a pong, with a key of zeros
        }
    }
}
