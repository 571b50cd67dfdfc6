using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway.Epoll;
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
    private IReadOnlyList<PlanStep>? _steps;
    private KernelKeepAliveValues? _inherited;

    /// <summary>How long data under way may stay unacknowledged before we end the flow; null when the kernel sees to it, or nobody.</summary>
    public TimeSpan? SendBound { get; } = OperatingSystem.IsLinux() && options is { UserTimeout.IsDerived: true, Tcp.IsOn: true }
        ? (options.Tcp.Policy ?? KeepAlivePolicy.Default).DetectionTime : null;

    /// <summary>How often to look.</summary>
    public TimeSpan SendLook => SendBound is { } bound ? LookEvery(bound) : TimeSpan.MaxValue;

    /// <summary>How often to look at a flow one of whose legs has ended.</summary>
    public TimeSpan EndedLook => SendLook < EndedLookMax ? SendLook : EndedLookMax;

    /// <summary>The user timeout that the kernel sees to.</summary>
    public UserTimeout Timeout => SendBound is null ? options.UserTimeout : UserTimeout.Off;

    /// <summary>How often to look where death is to be found within this time.</summary>
    public static TimeSpan LookEvery(TimeSpan bound) => TimeSpan.FromTicks(Math.Max(bound.Ticks / LooksPerDetection, LookMin.Ticks));

    /// <summary>Sets it, or what its path asks for, on a connected socket and reads it back.</summary>
    public void Apply(Socket socket, Leg leg, long flow) =>
        Apply(socket, options.Paths?.PolicyFor(socket.RemoteEndPoint) is { } policy ? KeepAliveSpec.Of(policy) : options.Tcp, leg, flow);

    /// <summary>For a leg of Linux's own engine that is to be connected: the first is read back, and what it needed is set on all.</summary>
    public void Apply(int fd, Leg leg, long flow)
    {
        _ = Libc.Set(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
        _ = Libc.Set(fd, Libc.SOL_SOCKET, Libc.SO_OOBINLINE, 1);
        if (_steps is null)
        {
            using var socket = new Socket(new SafeSocketHandle(fd, ownsHandle: false));
            bool hasTimeout = KernelKeepAlive.Read(socket).UserTimeout > TimeSpan.Zero;
            IReadOnlyList<PlanStep> steps = KernelKeepAlive.StepsFor(options.Tcp, Timeout, Apply(socket, options.Tcp, leg, flow));
            // A fresh socket has no user timeout: there is none to take off.
            _steps = [.. steps.Where(step => hasTimeout || step is not OptionStep { Option.Which: KernelKeepAliveOption.UserTimeout, Value: 0 })];
            return;
        }

        if (Libc.Set(fd, _steps) is var errno and not 0) Say($"setsockopt for kernel keepalive failed: errno {errno}", leg, flow);
    }

    /// <summary>Linux's accepted sockets have all that their listener has (tcp_create_openreq_child): nothing is left to set on them.</summary>
    public void ApplyToListener(Socket listener)
    {
        int fd = (int)listener.SafeHandle.DangerousGetHandle();
        _ = Libc.Set(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
        _ = Libc.Set(fd, Libc.SOL_SOCKET, Libc.SO_OOBINLINE, 1);
        _inherited = Apply(listener, options.Tcp, Leg.Downstream, 0);
    }

    /// <summary>Whether it is so is asked of the first of them.</summary>
    public void CheckInherited(int accepted, long flow)
    {
        if (_inherited is not { } expected) return;
        _inherited = null;
        using var socket = new Socket(new SafeSocketHandle(accepted, ownsHandle: false));
        KernelKeepAliveValues found = KernelKeepAlive.Read(socket);
        if (found != expected) Say($"accepted sockets have not the listener's keepalive: {found} instead of {expected}", Leg.Downstream, flow);
    }

    private KernelKeepAliveValues Apply(Socket socket, KeepAliveSpec spec, Leg leg, long flow)
    {
        KernelKeepAliveReport report = KernelKeepAlive.Apply(socket, spec, Timeout);
        foreach (Shortfall shortfall in report.Shortfalls) Say(shortfall, leg, flow);
        return report.Effective;
    }

    private void Say(object shortfall, Leg leg, long flow)
    {
        string text = shortfall.ToString()!;
        lock (_lock)
        {
            if (!_said.Add(text)) return;
        }

        emit(new FlowEvent(flow, MonotonicClock.Now, FlowEventKind.Notice, text) { Leg = leg });
    }
}
