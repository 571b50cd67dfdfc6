using System.Net;
using KeepAlive.Linux.Diag;
using Microsoft.AspNetCore.Http;

namespace KeepAlive.App.Web;

/// <summary>Whether something may be done.</summary>
/// <param name="Status">Where it may not, what HTTP says.</param>
/// <param name="Why">Where it may not, why, and what to do.</param>
internal readonly record struct WebRight(int Status, string? Why)
{
    public static WebRight Granted { get; }
}

/// <summary>
/// Who may do what. On loopback anybody of this machine may read, as with ss(8); to write one is the daemon's own user or root, which
/// the kernel tells of the other end of the connection, or has the token. Beyond loopback everybody needs the token or a certificate.
/// </summary>
internal sealed class WebRights(WebOptions options, WebTokens tokens)
{
    private const string Bearer = "Bearer ";

    public WebRight ToRead(HttpContext context) => options.IsRemote ? Proven(context) ?? NotProven(context) : WebRight.Granted;

    public WebRight ToWrite(HttpContext context)
    {
        if (Proven(context) is { } proven) return proven;
        return options.IsRemote ? NotProven(context) : Local(context.Connection);
    }

    // Null where nothing was shown that proves anything.
    private WebRight? Proven(HttpContext context)
    {
        if (options.ClientAuthorities is not null && context.Connection.ClientCertificate is not null) return WebRight.Granted; // checked in the handshake
        if (!tokens.IsSet) return null;
        string? said = context.Request.Headers.Authorization;
        if (said is not null && said.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return tokens.Try(context.Connection.RemoteIpAddress, said[Bearer.Length..].Trim()) switch
            {
                TokenAnswer.Right => WebRight.Granted,
                TokenAnswer.Wrong => new WebRight(StatusCodes.Status401Unauthorized, "that is not the token"),
                _ => new WebRight(StatusCodes.Status429TooManyRequests, WebTokens.TooMany),
            };
        }

        return context.Request.Cookies[WebTokens.Cookie] is { } session && tokens.IsSession(session) ? WebRight.Granted : null;
    }

    private WebRight NotProven(HttpContext context)
    {
        if (tokens.IsSet) context.Response.Headers.WWWAuthenticate = "Bearer";
        return new WebRight(StatusCodes.Status401Unauthorized, tokens.IsSet ? $"send the token: Authorization: Bearer TOKEN, or POST {LoginEndpoint.Path}" : "a client's certificate is needed");
    }

    private WebRight Local(ConnectionInfo connection)
    {
        string orToken = tokens.IsSet ? ", or whoever has the token" : "";
        if (!OperatingSystem.IsLinux())
            return new WebRight(StatusCodes.Status403Forbidden, tokens.IsSet ? "send the token" : "who asks cannot be told on this system: give the dashboard a tokenFile");
        var here = new IPEndPoint(connection.LocalIpAddress!, connection.LocalPort);
        var there = new IPEndPoint(connection.RemoteIpAddress!, connection.RemotePort);
        if (SocketUser.Of(here, there) is not { Here: { } own, There: { } user })
            return new WebRight(StatusCodes.Status403Forbidden, $"the kernel does not tell who asks: only the user that runs keepalive up, or root, may change something{orToken}");
        return user == 0 || user == own ? WebRight.Granted
            : new WebRight(StatusCodes.Status403Forbidden, $"you are user {user}: only user {own}, who runs keepalive up, or root, may change something{orToken}");
    }
}
