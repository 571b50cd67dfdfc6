using System.Buffers;
using System.Text;
using System.Text.Json;

namespace KeepAlive.App.Web;

/// <summary>
/// A message of a stream of server-sent events (HTML Living Standard, section 9.2): no line feed is in JSON that is not indented.
/// <code>
/// event: NAME LF
/// data: {...} LF
/// LF
/// </code>
/// </summary>
internal static class StreamMessage
{
    /// <summary>Nothing; what is on the way sees that somebody is there.</summary>
    public static ReadOnlyMemory<byte> KeepAlive { get; } = Encoding.UTF8.GetBytes("event: keepalive\ndata: {}\n\n");

    /// <summary>A message, whose members the caller writes.</summary>
    public static ReadOnlyMemory<byte> Of(string name, Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        bytes.Write(Encoding.UTF8.GetBytes($"event: {name}\ndata: "));
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        bytes.Write("\n\n"u8);
        return bytes.WrittenMemory;
    }

    /// <summary>A message of JSON that is there already.</summary>
    public static ReadOnlyMemory<byte> Of(string name, string json) => Encoding.UTF8.GetBytes($"event: {name}\ndata: {json}\n\n");
}
