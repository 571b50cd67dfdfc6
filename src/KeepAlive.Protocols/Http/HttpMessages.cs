using System.Globalization;

namespace KeepAlive.Protocols.Http;

/// <summary>What of a request matters to its response.</summary>
/// <param name="Method">As it stands; names are case-sensitive (RFC 9110 section 9.1).</param>
/// <param name="MayBeInformed">Its client speaks HTTP/1.1, and so knows interim responses (RFC 9110 section 15.2).</param>
internal readonly record struct HttpRequest(string Method, bool MayBeInformed)
{
    /// <summary>Reads a request's head; null when it is not HTTP/1.</summary>
    public static HttpRequest? Read(HttpHead head) => head.StartLine.Split(' ') is [{ Length: > 0 } method, { Length: > 0 }, "HTTP/1.1" or "HTTP/1.0"] words
        ? new HttpRequest(method, words[2] == "HTTP/1.1") : null;

    /// <summary>Its body; null when that is not certain.</summary>
    public static HttpBody? BodyOf(HttpHead head) => HttpBody.Of(head, HttpBody.Of(0));
}

/// <summary>What of a response matters.</summary>
/// <param name="Status">100 to 599.</param>
internal readonly record struct HttpResponse(int Status)
{
    /// <summary>Another one is to come for the same request.</summary>
    public bool IsInterim => Status is >= 100 and < 200;

    /// <summary>Reads a response's head; null when it is not HTTP/1.</summary>
    public static HttpResponse? Read(HttpHead head) =>
        head.StartLine.Split(' ', 3) is ["HTTP/1.1" or "HTTP/1.0", { Length: 3 } code, ..] && int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out int status) && status is >= 100 and < 600
            ? new HttpResponse(status) : null;

    /// <summary>Its body; null when that is not certain.</summary>
    public HttpBody? BodyOf(HttpHead head, HttpRequest request) =>
        IsInterim || Status is 204 or 304 || request.Method == "HEAD" ? HttpBody.Of(0) : HttpBody.Of(head, HttpBody.UntilEnd);

    /// <summary>Whether its content is a stream of events that may be commented on (HTML standard, section 9.2).</summary>
    public static bool IsEventStream(HttpHead head) =>
        head.Field("Content-Type")?.Split(';')[0].Trim().Equals("text/event-stream", StringComparison.OrdinalIgnoreCase) == true
        && head.Field("Content-Encoding") is null or "identity";
}
