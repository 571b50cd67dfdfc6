using System.Globalization;
using System.Text;
using KeepAlive.Protocols.Http;

namespace KeepAlive.Protocols.Callers;

/// <summary>What requests of HTTP/1.1 have in common.</summary>
internal static class HttpText
{
    /// <summary>What is asked for.</summary>
    public static string PathOf(CallDetails call) => call.Path.Length == 0 ? "/" : call.Path;

    /// <summary>A line that logs in (RFC 7617); nothing where nobody is named.</summary>
    public static string Login(CallDetails call) =>
        call.User is null ? "" : $"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{call.User}:{call.Password}"))}\r\n";

    /// <summary>The status of a response; null when it is none.</summary>
    public static int? Status(HttpHead head) => head.StartLine.Split(' ') is [var version, var code, ..] && version.StartsWith("HTTP/1.", StringComparison.Ordinal)
        && int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out int status) && status is >= 100 and < 600 ? status : null;
}
