using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace KeepAlive.App.Web;

/// <summary>What the API is, for machines: OpenAPI 3.1. A test holds it against the answers.</summary>
internal static class OpenApiFile
{
    /// <summary>Its text.</summary>
    public static byte[] Bytes { get; } = Read();

    public static void Map(IEndpointRouteBuilder to) => to.MapGet("/openapi.json", context => Answers.SendAsync(context, StatusCodes.Status200OK, "application/json; charset=utf-8", Bytes));

    private static byte[] Read()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("openapi.json")!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
