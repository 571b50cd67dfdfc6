using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>Kernel keepalive for every leg of a gateway; what the platform cannot do is said once, not once a flow.</summary>
internal sealed class LegKeepAlive(GatewayOptions options, Action<FlowEvent> emit)
{
    // Looked at this often while data is under way: death is found within the detection time and an eighth.
    private const int LooksPerDetection = 8;
    private static readonly TimeSpan LookMin = TimeSpan.FromMilliseconds(100);

    // A leg nobody reads from any more dies unseen, whatever the kernel sees to.
    private static readonly TimeSpan EndedLookMax = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly HashSet<string> _said = [];

    /// <summary>How long data under way may stay unacknowledged before we end the flow; null when the kernel sees to it, or nobody.</summary>
    public TimeSpan? SendBound { get; } = OperatingSystem.IsLinux() && options is { UserTimeout.IsDerived: true, Tcp.IsOn: true }
        ? (options.Tcp.Policy ?? KeepAlivePolicy.Default).DetectionTime : null;

    /// <summary>How often to look.</summary>
    public TimeSpan SendLook => SendBound is { } bound ? TimeSpan.FromTicks(Math.Max(bound.Ticks / LooksPerDetection, LookMin.Ticks)) : TimeSpan.MaxValue;

    /// <summary>How often to look at a flow one of whose legs has ended.</summary>
    public TimeSpan EndedLook => SendLook < EndedLookMax ? SendLook : EndedLookMax;

    public void Apply(Socket socket, Leg leg, long flow)
    {
        foreach (Shortfall shortfall in KernelKeepAlive.Apply(socket, options.Tcp, SendBound is null ? options.UserTimeout : UserTimeout.Off).Shortfalls)
        {
            string text = shortfall.ToString();
            lock (_lock)
            {
                if (!_said.Add(text)) continue;
            }

            emit(new FlowEvent(flow, MonotonicClock.Now, FlowEventKind.Notice, text) { Leg = leg });
        }
    }
}
