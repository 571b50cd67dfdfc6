using KeepAlive.Core;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Settings;

namespace KeepAlive.Linux.Connections;

/// <summary>What a connection's keepalive amounts to.</summary>
public enum VerdictKind
{
    /// <summary>A dead peer will be found, and common middleboxes are kept from forgetting.</summary>
    Ok,

    /// <summary>A dead peer is never found.</summary>
    Unnoticed,

    /// <summary>The first probe comes too late for a common middlebox.</summary>
    TooSlow,

    /// <summary>Data is unacknowledged: keepalive waits.</summary>
    Stuck,

    /// <summary>Probes are out.</summary>
    Probing,

    /// <summary>The path does not count keepalive.</summary>
    Ignored,

    /// <summary>The armed timer fires later than the options say.</summary>
    ArmedLate,

    /// <summary>The options could not be read.</summary>
    Unknown,

    /// <summary>Not a connection: what accepted ones will inherit.</summary>
    Listener,

    /// <summary>Being opened or closed.</summary>
    Passing,
}

/// <summary>What was measured of the path to the other end.</summary>
/// <param name="Survived">The longest silence that flows survive.</param>
/// <param name="Ends">Whether a longer one was tried, and is not survived.</param>
/// <param name="CountsKeepAlive">Whether kernel keepalive of this side refreshes it.</param>
/// <param name="On">When that was.</param>
internal sealed record MeasuredPath(TimeSpan Survived, bool Ends, bool CountsKeepAlive, DateOnly On);

/// <summary>A verdict in words. Pure.</summary>
/// <param name="Kind">What kind.</param>
/// <param name="Text">One line: what is the matter, and the figure that says so.</param>
internal readonly record struct ConnectionVerdict(VerdictKind Kind, string Text)
{
    /// <summary>The shortest idle timeout of the big clouds' network middleboxes that counts keepalive: AWS NLB and NAT gateway.</summary>
    public static readonly TimeSpan MiddleboxTimeout = TimeSpan.FromSeconds(350);

    /// <summary>Unacknowledged for longer than this is more than a slow path.</summary>
    public static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(5);

    // The kernel's timers are coarse: up to an eighth late (kernel/time/timer.c).
    private const double TimerSlack = 1.15;

    /// <summary>The verdict on a socket with these options, and on a path of which this is known.</summary>
    public static ConnectionVerdict Of(SocketRow socket, SocketOptions? options, MeasuredPath? path = null)
    {
        if (socket.State == TcpState.Listening) return new(VerdictKind.Listener, options is { } l ? $"accepted connections inherit {Spec(l)}" : "unknown");
        if (socket.State is not (TcpState.Established or TcpState.CloseWait)) return new(VerdictKind.Passing, "opening or closing");
        if (options is not { } o || o.KeepAlive < 0) return new(VerdictKind.Unknown, "unknown: the real values could not be read");
        TimeSpan userTimeout = TimeSpan.FromMilliseconds(Math.Max(0, o.UserTimeout));
        if (socket.HasInfo && socket.Unacknowledged > 0 && socket.SinceAck > StuckAfter)
        {
            string since = $"stuck: unacknowledged data for {Short(socket.SinceAck)}";
            return new(VerdictKind.Stuck, userTimeout > TimeSpan.Zero
                ? $"{since}, given up after {Short(userTimeout)}" : $"{since}, keepalive cannot help, user timeout can");
        }

        if (o.KeepAlive == 0) return new(VerdictKind.Unnoticed, "dies unnoticed: keepalive off");
        TimeSpan idle = TimeSpan.FromSeconds(o.Idle), dead = idle + (o.Count * TimeSpan.FromSeconds(o.Interval));
        if (socket.Timer == TcpTimer.KeepAlive && socket.Unanswered > 0)
            return new(VerdictKind.Probing, $"probing: {socket.Unanswered} of {o.Count} probes unanswered");
        if (socket.Timer == TcpTimer.KeepAlive && socket.TimerLeft > idle * TimerSlack + TimeSpan.FromSeconds(1))
            return new(VerdictKind.ArmedLate, $"armed late: first probe in {Short(socket.TimerLeft)} although idle is {Short(idle)}; apply re-arms it");
        if (path is { Ends: true }) return OfMeasured(path, idle, dead, userTimeout);
        if (idle >= MiddleboxTimeout && !(idle <= path?.Survived)) return new(VerdictKind.TooSlow, $"too slow for a {MiddleboxTimeout.TotalSeconds:0}s middlebox: first probe at {o.Idle}s");
        return Ok(dead, userTimeout);
    }

    /// <summary><c>off</c>, or idle:count:interval.</summary>
    public static string Spec(SocketOptions options) => options.KeepAlive switch
    {
        < 0 => "unknown",
        0 => "off",
        _ => $"{options.Idle}:{options.Count}:{options.Interval}",
    };

    private static ConnectionVerdict OfMeasured(MeasuredPath path, TimeSpan idle, TimeSpan dead, TimeSpan userTimeout)
    {
        string limit = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"after {Short(path.Survived)} (measured {path.On:yyyy-MM-dd})");
        if (!path.CountsKeepAlive) return new(VerdictKind.Ignored, $"keepalive is ignored on this path: it ends flows without data {limit}");
        return idle >= path.Survived ? new(VerdictKind.TooSlow, $"too slow for this path: it forgets {limit}, first probe at {idle.TotalSeconds:0}s") : Ok(dead, userTimeout);
    }

    private static ConnectionVerdict Ok(TimeSpan dead, TimeSpan userTimeout) =>
        new(VerdictKind.Ok, $"ok: dead after {Short(dead)}" + (userTimeout == TimeSpan.Zero ? ", 15m with data under way" : ""));

    private static string Short(TimeSpan span) => Duration.Format(span < TimeSpan.FromSeconds(10)
        ? TimeSpan.FromMilliseconds(Math.Round(span.TotalMilliseconds / 100) * 100) : TimeSpan.FromSeconds(Math.Round(span.TotalSeconds)));
}
