namespace KeepAlive.Gateway;

/// <summary>What is said of flows in more than one place.</summary>
internal static class FlowTexts
{
    public const string Stopping = "the gateway stops";

    /// <summary>A fault in our own code: it costs the flow it happened to, and is told.</summary>
    public static string Fault(Exception e) => $"a fault of the gateway's own: {e.GetType().Name}: {e.Message}";

    public static TimeSpan Round(TimeSpan span) => TimeSpan.FromMilliseconds(Math.Round(span.TotalMilliseconds / 10) * 10);
}
