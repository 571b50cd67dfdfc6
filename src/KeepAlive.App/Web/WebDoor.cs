using System.Net;
using Microsoft.AspNetCore.Http;

namespace KeepAlive.App.Web;

/// <summary>
/// What every request passes. The page is on loopback, where any browser of this machine gets on behalf of any site: so the name it was
/// asked by has to be ours (a site's own name may point here: DNS rebinding), and whoever changes something has to be the page itself, or
/// no browser, and of the right user.
/// </summary>
internal sealed class WebDoor(WebOptions options, WebRights rights)
{
    /// <summary>A header that a page of another site cannot send unasked.</summary>
    public const string WriteHeader = "X-KeepAlive";

    /// <summary>What that says.</summary>
    public const string WriteValue = "page";

    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    private static readonly string[] Loopback = ["localhost", "127.0.0.1", "[::1]"];

    public Task PassAsync(HttpContext context, RequestDelegate next)
    {
        SetHeaders(context.Response.Headers);
        if (!IsOurs(context)) return Answers.TextAsync(context, StatusCodes.Status421MisdirectedRequest, $"this is not {Texts.Printable(context.Request.Host.Value ?? "")}: call it by localhost, by its address, or by a name in \"dashboard\": {{\"hosts\": [...]}}");
        PathString path = context.Request.Path;
        bool isRead = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        if (!isRead && WhyNotOurs(context.Request) is { } foreign) return Answers.FaultAsync(context, foreign.Status, foreign.Why);
        if (path == LoginEndpoint.Path || (isRead && IsOpen(path))) return next(context);
        WebRight right = isRead ? rights.ToRead(context) : rights.ToWrite(context);
        return right.Why is null ? next(context) : Answers.FaultAsync(context, right.Status, right.Why);
    }

    private static void SetHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    private bool IsOurs(HttpContext context)
    {
        string host = context.Request.Host.Host;
        if (Loopback.Contains(host, StringComparer.OrdinalIgnoreCase) || options.Hosts.Contains(host, StringComparer.OrdinalIgnoreCase)) return true;
        // An address cannot be pointed elsewhere; it may be any of ours.
        return IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && context.Connection.LocalIpAddress is { } local
            && (address.Equals(local) || (local.IsIPv4MappedToIPv6 && address.Equals(local.MapToIPv4())));
    }

    // The page holds no data: it is what asks for the token.
    private static bool IsOpen(PathString path) => path == "/" || path.StartsWithSegments("/page") || path == "/healthz" || path == "/readyz";

    private static (int Status, string Why)? WhyNotOurs(HttpRequest request)
    {
        string own = $"{request.Scheme}://{request.Host.Value}";
        string? origin = request.Headers.Origin, site = request.Headers["Sec-Fetch-Site"];
        if (origin is not null && !origin.Equals(own, StringComparison.OrdinalIgnoreCase)) return (StatusCodes.Status403Forbidden, $"only the page itself may do this, not one of {Texts.Printable(origin)}");
        if (site is not (null or "same-origin" or "none")) return (StatusCodes.Status403Forbidden, "only the page itself may do this, not one of another site");
        if (request.Headers[WriteHeader] != WriteValue) return (StatusCodes.Status403Forbidden, $"whoever changes something sends the header {WriteHeader}: {WriteValue}");
        bool hasBody = !HttpMethods.IsDelete(request.Method) || request.ContentLength > 0;
        return hasBody && !IsJson(request.ContentType) ? (StatusCodes.Status415UnsupportedMediaType, "send application/json") : null;
    }

    private static bool IsJson(string? type) => type is not null && type.Split(';')[0].Trim().Equals("application/json", StringComparison.OrdinalIgnoreCase);
}
