using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace KeepAlive.App.Web;

/// <summary>The JSON object that a request brings.</summary>
internal sealed class RequestBody
{
    /// <summary>Nothing that is asked for is longer.</summary>
    public const int BytesMax = 16 * 1024;

    private const int DepthMax = 4;

    private readonly JsonElement _root;

    private RequestBody(JsonElement root, string? fault) => (_root, Fault) = (root, fault);

    /// <summary>What is wrong with it; null for nothing.</summary>
    public string? Fault { get; }

    public static async Task<RequestBody> ReadAsync(HttpContext context)
    {
        try
        {
            using JsonDocument document = await JsonDocument.ParseAsync(context.Request.Body, new JsonDocumentOptions { MaxDepth = DepthMax }, context.RequestAborted).ConfigureAwait(false);
            JsonElement root = document.RootElement.Clone();
            return root.ValueKind == JsonValueKind.Object ? new RequestBody(root, null) : new RequestBody(default, "send a JSON object");
        }
        catch (JsonException e)
        {
            return new RequestBody(default, $"that is no JSON: {e.Message}");
        }
        catch (BadHttpRequestException e)
        {
            return new RequestBody(default, e.Message);
        }
    }

    /// <summary>A text, or a number as it is written; null where there is none.</summary>
    public string? Text(string name) => _root.ValueKind != JsonValueKind.Object || !_root.TryGetProperty(name, out JsonElement value) ? null
        : value.ValueKind switch { JsonValueKind.String => value.GetString(), JsonValueKind.Number => value.GetRawText(), _ => null };

    public bool IsTrue(string name) => _root.ValueKind == JsonValueKind.Object && _root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;
}
