using System.Text;

namespace KeepAlive.Protocols.Callers;

/// <summary>What requests of HTTP/1.1 have in common.</summary>
internal static class HttpText
{
    /// <summary>What is asked for.</summary>
    public static string PathOf(CallDetails call) => call.Path.Length == 0 ? "/" : call.Path;

    /// <summary>A line that logs in (RFC 7617); nothing where nobody is named.</summary>
    public static string Login(CallDetails call) =>
        call.User is null ? "" : $"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{call.User}:{call.Password}"))}\r\n";
}
