using KeepAlive.App.Live;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace KeepAlive.App.Web;

/// <summary>What happens, as it happens: server-sent events.</summary>
internal sealed class StreamEndpoint(LiveState live, StateEndpoints state, PathDocument paths, CancellationToken stopping)
{
    public const int ListenersMax = 64;

    private const long KeepAliveEvery = 15_000;

    public void Map(IEndpointRouteBuilder to) => to.MapGet("/api/v1/stream", StreamAsync);

    private async Task StreamAsync(HttpContext context)
    {
        HashSet<string> topics = [.. $"{context.Request.Query["topics"]}".Split(',', StringSplitOptions.RemoveEmptyEntries)];
        if (topics.Count == 0) topics = [.. Topics.All];
        if (topics.FirstOrDefault(topic => !Topics.All.Contains(topic)) is { } unknown)
        {
            await Answers.FaultAsync(context, StatusCodes.Status400BadRequest, $"there is no topic '{Texts.Printable(unknown)}': there are {string.Join(", ", Topics.All)}").ConfigureAwait(false);
            return;
        }

        using IDisposable? listening = live.Ticker.Join(topics, ListenersMax);
        if (listening is null)
        {
            await Answers.FaultAsync(context, StatusCodes.Status503ServiceUnavailable, $"{ListenersMax} listen already: close a page").ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = "text/event-stream";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            await SendAsync(context.Response, StreamMessage.Of("hello", writer => state.WriteOverview(writer, context)), end.Token).ConfigureAwait(false);
            await FeedAsync(context.Response, [.. Topics.All.Where(topics.Contains).Select(FeedOf)], end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // They went away, or we do.
        }
    }

    private async Task FeedAsync(HttpResponse response, IReadOnlyList<IStreamFeed> feeds, CancellationToken end)
    {
        for (long saidAt = LiveState.Now; ; await live.Ticker.Next.WaitAsync(end).ConfigureAwait(false))
        {
            foreach (IStreamFeed feed in feeds)
            {
                foreach (ReadOnlyMemory<byte> message in feed.Take())
                {
                    await SendAsync(response, message, end).ConfigureAwait(false);
                    saidAt = LiveState.Now;
                }
            }

            if (LiveState.Now - saidAt < KeepAliveEvery) continue;
            await SendAsync(response, StreamMessage.KeepAlive, end).ConfigureAwait(false);
            saidAt = LiveState.Now;
        }
    }

    // Who reads slowly waits here, and is told of more at a time then.
    private static async Task SendAsync(HttpResponse response, ReadOnlyMemory<byte> bytes, CancellationToken end) =>
        await response.BodyWriter.WriteAsync(bytes, end).ConfigureAwait(false);

    private IStreamFeed FeedOf(string topic) => topic switch
    {
        Topics.Flows => new FlowFeed(live.Flows),
        Topics.Connections => new ConnectionFeed(live.Connections),
        Topics.Events => new EventFeed(live.Events),
        Topics.Gateways => new DocumentFeed(topic, () => state.Gateways.Read(LiveState.Now)),
        Topics.Paths => new DocumentFeed(topic, () => paths.All.Read(LiveState.Now)),
        _ => new DocumentFeed(topic, () => live.Measurements.Document),
    };
}
