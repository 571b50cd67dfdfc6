using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace KeepAlive.App.Web;

/// <summary>The page itself: files that are part of the program, or lie in a folder for whoever works on them.</summary>
internal sealed class PageFiles(string? folder)
{
    private const string Prefix = "page/";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".png"] = "image/png",
        [".ico"] = "image/x-icon",
        [".json"] = "application/json",
        [".map"] = "application/json",
        [".woff2"] = "font/woff2",
    }.ToFrozenDictionary();

    private static readonly Lazy<FrozenDictionary<string, (byte[] Bytes, string Tag)>> Embedded = new(ReadEmbedded);

    public void Map(IEndpointRouteBuilder to)
    {
        to.MapGet("/", context => SendAsync(context, "index.html"));
        to.MapGet("/page/{**path}", context => SendAsync(context, (string?)context.Request.RouteValues["path"] ?? ""));
    }

    private Task SendAsync(HttpContext context, string path)
    {
        if (!Types.TryGetValue(Path.GetExtension(path), out string? type) || Find(path) is not { } file) return Answers.TextAsync(context, StatusCodes.Status404NotFound, "there is no such file");
        context.Response.Headers.CacheControl = "no-cache"; // asked for each time, and not sent again while it is the same
        context.Response.Headers.ETag = file.Tag;
        if (context.Request.Headers.IfNoneMatch == file.Tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        return Answers.SendAsync(context, StatusCodes.Status200OK, type, file.Bytes);
    }

    private (byte[] Bytes, string Tag)? Find(string path)
    {
        if (folder is null) return Embedded.Value.TryGetValue(path, out (byte[], string) file) ? file : null;
        string root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar, full = Path.GetFullPath(Path.Combine(root, path));
        if (!full.StartsWith(root, StringComparison.Ordinal) || !File.Exists(full)) return null;
        byte[] bytes = File.ReadAllBytes(full);
        return (bytes, TagOf(bytes));
    }

    private static FrozenDictionary<string, (byte[] Bytes, string Tag)> ReadEmbedded()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var files = new Dictionary<string, (byte[], string)>();
        foreach (string name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using Stream stream = assembly.GetManifestResourceStream(name)!;
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            files.Add(name[Prefix.Length..].Replace('\\', '/'), (bytes, TagOf(bytes)));
        }

        return files.ToFrozenDictionary();
    }

    private static string TagOf(byte[] bytes) => $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8))}\"";
}
