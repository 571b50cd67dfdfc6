using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace KeepAlive.App;

/// <summary>One JSON object for stdout or a file, indented.</summary>
internal static class JsonText
{
    // Texts come from the wire: quotes and control characters are escaped, letters of any language are not.
    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An object, whose members the caller writes.</summary>
    public static string Of(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, Options))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }
}
