using System.Text.Json;

namespace KeepAlive.Protocols.Callers;

/// <summary>Connects to NATS (docs.nats.io, "Client protocol") with a PING behind it, whose PONG says that it was let in, and answers the server's PINGs.</summary>
internal sealed class NatsCaller(CallDetails call) : LineCaller
{
    /// <inheritdoc/>
    protected override void OnLine(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("INFO "u8) && State == CallState.Opening) SayLine($"CONNECT {{\"verbose\":false,\"pedantic\":false,\"lang\":\"any\",\"version\":\"0\",\"name\":\"keepalive ping\"{Login}}}\r\nPING");
        else if (line.SequenceEqual("PING"u8)) SayLine("PONG");
        else if (line.SequenceEqual("PONG"u8)) Open();
        else if (line.StartsWith("-ERR"u8)) Refuse(Text(line));
        else if (State == CallState.Opening && !line.StartsWith("INFO "u8)) Surrender($"'{Text(line)}' is no message of NATS'");
    }

    private string Login => call.User is null ? "" : $",\"user\":\"{JsonEncodedText.Encode(call.User)}\",\"pass\":\"{JsonEncodedText.Encode(call.Password ?? "")}\"";
}
