using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Threading.Channels;

namespace KeepAlive.App.Events;

/// <summary>
/// Events to a web address: one POST at a time of <c>{"host", "dropped", "events": [...]}</c>. What fails for now is tried again with
/// growing pauses; what the other side does not want (4xx) is dropped.
/// </summary>
internal sealed class WebhookSink : EventSink
{
    private const int EventsMax = 100; // of one POST

    // So that what happens together comes together, and nobody is flooded.
    private static readonly TimeSpan Gathering = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryFirst = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMost = TimeSpan.FromMinutes(1);

    private readonly WebhookTarget _target;
    private readonly HttpClient _http;

    public WebhookSink(WebhookTarget target)
        : base(target)
    {
        _target = target;
        // A redirect would take the token to where nobody said.
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = AnswerMax };
        if (target.Token is { } token) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    protected override async Task WriteAllAsync(ChannelReader<ToldEvent> events, CancellationToken end)
    {
        using HttpClient http = _http;
        bool isFailing = false;
        while (await events.WaitToReadAsync(end).ConfigureAwait(false))
        {
            if (!events.Completion.IsCompleted) await Task.WhenAny(events.Completion, Task.Delay(Gathering, end)).ConfigureAwait(false);
            string body = Body(events);
            TimeSpan pause = RetryFirst;
            (string Why, bool IsFinal)? failure;
            while ((failure = await PostAsync(body, end).ConfigureAwait(false)) is { } failed)
            {
                if (!isFailing) Fail($"events do not reach {_target.Address.GetLeftPart(UriPartial.Path)}: {failed.Why}{(failed.IsFinal ? "; they were dropped" : "; tried again")}");
                isFailing = true;
                if (failed.IsFinal) break;
                await Task.Delay(pause * (0.5 + (Random.Shared.NextDouble() / 2)), end).ConfigureAwait(false);
                pause = pause * 2 < RetryMost ? pause * 2 : RetryMost;
            }

            if (failure is null) isFailing = false;
        }
    }

    private string Body(ChannelReader<ToldEvent> events)
    {
        var text = new StringBuilder();
        text.Append(EventText.JsonLine(writer =>
        {
            writer.WriteString("host", Environment.MachineName);
            writer.WriteNumber("dropped", TakeDropped());
        }));
        text.Length--; // its brace
        text.Append(",\"events\":[");
        for (int n = 0; n < EventsMax && events.TryRead(out ToldEvent? e); n++) text.Append(n == 0 ? "" : ",").Append(EventText.Json(e));
        return text.Append("]}").ToString();
    }

    // Null when it was taken.
    private async Task<(string Why, bool IsFinal)?> PostAsync(string body, CancellationToken end)
    {
        try
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using HttpResponseMessage answer = await _http.PostAsync(_target.Address, content, end).ConfigureAwait(false);
            if (answer.IsSuccessStatusCode) return null;
            bool isLater = (int)answer.StatusCode >= 500 || answer.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests;
            return ($"it answered {(int)answer.StatusCode}", !isLater);
        }
        catch (HttpRequestException e)
        {
            return (e.Message, false);
        }
        catch (TaskCanceledException) when (!end.IsCancellationRequested)
        {
            return ($"no answer for {AnswerMax.TotalSeconds:0}s", false);
        }
    }
}
