using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace KeepAlive.App.Web;

/// <summary>How answers are written: plain JSON, by hand, as everything of this program.</summary>
internal static class Answers
{
    private const string JsonType = "application/json; charset=utf-8";

    /// <summary>An object, whose members the caller writes.</summary>
    public static Task JsonAsync(HttpContext context, Action<Utf8JsonWriter> write, int status = StatusCodes.Status200OK)
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return SendAsync(context, status, JsonType, bytes.WrittenMemory);
    }

    /// <summary>JSON that is there already.</summary>
    public static Task JsonAsync(HttpContext context, string json) => SendAsync(context, StatusCodes.Status200OK, JsonType, Encoding.UTF8.GetBytes(json));

    /// <summary>What is wrong, and what to do.</summary>
    public static Task FaultAsync(HttpContext context, int status, string fault) => JsonAsync(context, writer => writer.WriteString("fault", fault), status);

    /// <summary>What is wrong with what was sent, each for itself.</summary>
    public static Task FaultsAsync(HttpContext context, IReadOnlyList<string> faults) => JsonAsync(context, writer =>
    {
        writer.WriteString("fault", string.Join("; ", faults));
        writer.WriteStartArray("faults");
        foreach (string fault in faults) writer.WriteStringValue(fault);
        writer.WriteEndArray();
    }, StatusCodes.Status422UnprocessableEntity);

    /// <summary>Plain text.</summary>
    public static Task TextAsync(HttpContext context, int status, string text) => SendAsync(context, status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));

    public static Task SendAsync(HttpContext context, int status, string type, ReadOnlyMemory<byte> bytes)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = bytes.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted).AsTask();
    }
}
