using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace KeepAlive.App.Web;

/// <summary>A browser shows the token once, and has a cookie then.</summary>
internal sealed class LoginEndpoint(WebTokens tokens)
{
    public const string Path = "/login";

    public void Map(IEndpointRouteBuilder to) => to.MapPost(Path, LoginAsync);

    private async Task LoginAsync(HttpContext context)
    {
        if (!tokens.IsSet)
        {
            await Answers.FaultAsync(context, StatusCodes.Status404NotFound, "there is no token here").ConfigureAwait(false);
            return;
        }

        RequestBody body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        string token = body.Text("token") ?? "";
        switch (body.Fault is null ? tokens.Try(context.Connection.RemoteIpAddress, token) : TokenAnswer.Wrong)
        {
            case TokenAnswer.Right:
                context.Response.Cookies.Append(WebTokens.Cookie, tokens.Begin(), new CookieOptions
                {
                    HttpOnly = true,
                    SameSite = SameSiteMode.Strict,
                    Secure = context.Request.IsHttps,
                    Path = "/",
                    MaxAge = WebTokens.SessionTime,
                });
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case TokenAnswer.Wrong:
                await Answers.FaultAsync(context, StatusCodes.Status401Unauthorized, body.Fault ?? "that is not the token").ConfigureAwait(false);
                break;
            default:
                await Answers.FaultAsync(context, StatusCodes.Status429TooManyRequests, WebTokens.TooMany).ConfigureAwait(false);
                break;
        }
    }
}
