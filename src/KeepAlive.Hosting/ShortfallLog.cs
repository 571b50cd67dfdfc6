using Microsoft.Extensions.Logging;

namespace KeepAlive.Hosting;

/// <summary>Says once what an endpoint's connections cannot have: it is the same for all of them.</summary>
internal sealed partial class ShortfallLog(ILogger log, string endpoint)
{
    private int _isTold;

    public void Tell(KernelKeepAliveReport report)
    {
        if (report.IsAsAsked || Interlocked.Exchange(ref _isTold, 1) == 1) return;
        NotAsAsked(log, endpoint, report);
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Keepalive of {Endpoint} is not exactly as asked: {Report}")]
    private static partial void NotAsAsked(ILogger logger, string endpoint, KernelKeepAliveReport report);
}
