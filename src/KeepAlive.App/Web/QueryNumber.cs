using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace KeepAlive.App.Web;

/// <summary>A whole number in a query.</summary>
internal static class QueryNumber
{
    /// <summary>From 1 to the most, which it is where it is not given.</summary>
    public static bool TryRead(HttpContext context, string name, int most, out int value)
    {
        value = most;
        return context.Request.Query[name] is not { Count: > 0 } said
            || (int.TryParse(said, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= 1 && value <= most);
    }

    public static Task FaultAsync(HttpContext context, string name, int most) =>
        Answers.FaultAsync(context, StatusCodes.Status400BadRequest, $"{name} is a whole number from 1 to {most}");
}
