using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway.Epoll;
using KeepAlive.Gateway.Tuning;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>
/// The policy of a gateway as it is in force, and kernel keepalive for every leg by it; what the platform cannot do is said once, not once a flow.
/// </summary>
/// <remarks>
/// A flow asks for it under its own monitor, and is in the <see cref="FlowSet"/> before. Who changes it walks through that set
/// afterwards and takes each monitor: so a flow either finds the new policy by itself, or is found with the old one and given the new.
/// </remarks>
internal sealed class LegKeepAlive(GatewayPolicy policy, PathPolicies? paths, Action<FlowEvent> emit)
{
    // Looked at this often while data is under way: death is found within the detection time and an eighth.
    private const int LooksPerDetection = 8;
    private static readonly TimeSpan LookMin = TimeSpan.FromMilliseconds(100);

    // A leg nobody reads from any more dies unseen, whatever the kernel sees to.
    private static readonly TimeSpan EndedLookMax = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly HashSet<string> _said = [];
    private volatile Kept _inForce = new(policy, isChanged: false);
    private KernelKeepAliveValues? _inherited;

    /// <summary>What is in force.</summary>
    public GatewayPolicy Policy => _inForce.Policy;

    /// <summary>Another one after each change: what a socket was given is compared with it.</summary>
    public object Stamp => _inForce;

    /// <summary>How long data under way may stay unacknowledged before we end the flow; null when the kernel sees to it, or nobody.</summary>
    public TimeSpan? SendBound => _inForce.SendBound;

    /// <summary>How often to look.</summary>
    public TimeSpan SendLook => SendBound is { } bound ? LookEvery(bound) : TimeSpan.MaxValue;

    /// <summary>How often to look at a flow one of whose legs has ended.</summary>
    public TimeSpan EndedLook => SendLook is var look && look < EndedLookMax ? look : EndedLookMax;

    /// <summary>The user timeout that the kernel sees to.</summary>
    public UserTimeout Timeout => _inForce.Timeout;

    /// <summary>How often to look where death is to be found within this time.</summary>
    public static TimeSpan LookEvery(TimeSpan bound) => TimeSpan.FromTicks(Math.Max(bound.Ticks / LooksPerDetection, LookMin.Ticks));

    /// <summary>Another policy from now on, for those who ask; false when it is the same.</summary>
    public bool Change(GatewayPolicy next)
    {
        if (next == Policy) return false;
        _inForce = new Kept(next, isChanged: true);
        _inherited = null;
        if (_inForce.Spec is { IsOn: true, Policy: null }) Say("what the machine's own keepalive is cannot be told: sockets that had numbers keep them", Leg.Downstream, 0);
        return true;
    }

    /// <summary>Sets it, or what its path asks for, on a connected socket and reads it back.</summary>
    public void Apply(Socket socket, Leg leg, long flow)
    {
        Kept kept = _inForce;
        Apply(socket, paths?.PolicyFor(socket.RemoteEndPoint) is { } own ? KeepAliveSpec.Of(own) : kept.Spec, kept, leg, flow);
    }

    /// <summary>For a leg of Linux's own engine that is to be connected: the first is read back, and what it needed is set on all.</summary>
    public void Apply(int fd, Leg leg, long flow)
    {
        _ = Libc.Set(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
        _ = Libc.Set(fd, Libc.SOL_SOCKET, Libc.SO_OOBINLINE, 1);
        Renew(fd, leg, flow);
    }

    /// <summary>The policy in force, for a leg of Linux's own engine.</summary>
    public void Renew(int fd, Leg leg, long flow)
    {
        Kept kept = _inForce;
        if (kept.Steps is not { } steps)
        {
            using var socket = new Socket(new SafeSocketHandle(fd, ownsHandle: false));
            bool hasTimeout = kept.IsChanged || KernelKeepAlive.Read(socket).UserTimeout > TimeSpan.Zero;
            steps = KernelKeepAlive.StepsFor(kept.Spec, kept.Timeout, Apply(socket, kept.Spec, kept, leg, flow));
            // A fresh socket has no user timeout: there is none to take off.
            kept.Steps = [.. steps.Where(step => hasTimeout || step is not OptionStep { Option.Which: KernelKeepAliveOption.UserTimeout, Value: 0 })];
            return;
        }

        if (Libc.Set(fd, steps) is var errno and not 0) Say($"setsockopt for kernel keepalive failed: errno {errno}", leg, flow);
    }

    /// <summary>Linux's accepted sockets have all that their listener has (tcp_create_openreq_child): nothing is left to set on them.</summary>
    public void ApplyToListener(Socket listener)
    {
        int fd = (int)listener.SafeHandle.DangerousGetHandle();
        _ = Libc.Set(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
        _ = Libc.Set(fd, Libc.SOL_SOCKET, Libc.SO_OOBINLINE, 1);
        Kept kept = _inForce;
        KernelKeepAliveValues found = Apply(listener, kept.Spec, kept, Leg.Downstream, 0);
        _inherited = kept.IsChanged ? null : found;
    }

    /// <summary>
    /// An accepted socket has the policy in force: whether it is inherited is asked of the first. After a change it is set on each: those
    /// that waited to be accepted meanwhile have the old one.
    /// </summary>
    public void Accept(int accepted, long flow)
    {
        if (_inForce.IsChanged) Renew(accepted, Leg.Downstream, flow);
        else CheckInherited(accepted, flow);
    }

    private void CheckInherited(int accepted, long flow)
    {
        if (_inherited is not { } expected) return;
        _inherited = null;
        using var socket = new Socket(new SafeSocketHandle(accepted, ownsHandle: false));
        KernelKeepAliveValues found = KernelKeepAlive.Read(socket);
        if (found != expected && !_inForce.IsChanged) Say($"accepted sockets have not the listener's keepalive: {found} instead of {expected}", Leg.Downstream, flow);
    }

    private KernelKeepAliveValues Apply(Socket socket, KeepAliveSpec spec, Kept kept, Leg leg, long flow)
    {
        KernelKeepAliveReport report = KernelKeepAlive.Apply(socket, spec, kept.Timeout);
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

    // A policy, and what follows from it. Immutable but for what the first socket shows.
    private sealed class Kept
    {
        public Kept(GatewayPolicy policy, bool isChanged)
        {
            (Policy, IsChanged, Spec) = (policy, isChanged, policy.Tcp);
            SendBound = OperatingSystem.IsLinux() && policy is { UserTimeout.IsDerived: true, Tcp.IsOn: true } ? (policy.Tcp.Policy ?? KeepAlivePolicy.Default).DetectionTime : null;
            Timeout = SendBound is null ? policy.UserTimeout : UserTimeout.Off;
            if (!isChanged) return;
            // What this one leaves alone may be another one's: it is the machine's again.
            if (policy.Tcp is { IsOn: true, Policy: null } && ListenSocket.MachinePolicy() is { } machine) Spec = KeepAliveSpec.Of(machine);
            if (policy is { UserTimeout.IsDerived: true, Tcp.IsOn: false }) Timeout = UserTimeout.Off;
        }

        public GatewayPolicy Policy { get; }

        // Not the first one: sockets may have another's values.
        public bool IsChanged { get; }

        public KeepAliveSpec Spec { get; }

        public UserTimeout Timeout { get; }

        public TimeSpan? SendBound { get; }

        public IReadOnlyList<PlanStep>? Steps { get; set; }
    }
}
