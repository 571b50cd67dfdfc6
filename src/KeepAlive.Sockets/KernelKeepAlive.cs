using System.Net.Sockets;

namespace KeepAlive.Sockets;

/// <summary>
/// Kernel keepalive of one of our own TCP sockets, set and read back: SO_KEEPALIVE, idle, count, interval (RFC 1122
/// section 4.2.3.6, tcp(7)) and the user timeout (RFC 5482).
/// </summary>
/// <remarks>
/// <para>Apply it to a connected or accepted socket. Options set by number are lost on .NET's connect to several
/// addresses: on Unix the socket is then unusable after the first address that fails. <see cref="Dialer"/> connects
/// address by address and returns a socket to apply this to.</para>
/// <para>A listening socket on Linux hands all of it to the sockets it accepts. On macOS it must not have keepalive,
/// because its kernel then closes the listener; there, and on the BSDs, that is a shortfall and nothing is set.</para>
/// <para>Numbers are set by option number, not as <c>SocketOptionName.TcpKeepAliveTime</c> and its like: those take a
/// <c>bool</c> as one second and a <c>uint</c> as an invalid object, and have no name for the user timeout.</para>
/// </remarks>
internal static class KernelKeepAlive
{
    private static readonly KernelOptionSet Options = KernelOptionSet.For(Platform.Current);

    /// <summary>Sets what <paramref name="spec"/> asks for and reads back what is in force.</summary>
    /// <remarks>
    /// Off turns SO_KEEPALIVE off; on turns it on and leaves the numbers alone; a policy sets all. Kernels count whole
    /// seconds: idle is rounded down (least 1 s), interval up; limits on Linux are 1 to 32767 s and 1 to 127 probes.
    /// What the platform cannot do, and a call that fails (the peer may have reset the connection), is a
    /// <see cref="Shortfall"/>, never an exception and never silence.
    /// </remarks>
    /// <param name="socket">A TCP socket, connected, accepted or listening.</param>
    /// <param name="spec">What is asked for.</param>
    /// <param name="userTimeout">How long data may stay unacknowledged; default <see cref="UserTimeout.Derived"/>.</param>
    /// <returns>The values in force and everything that is not as asked.</returns>
    /// <exception cref="ArgumentNullException">The socket is null.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static KernelKeepAliveReport Apply(Socket socket, KeepAliveSpec spec, UserTimeout userTimeout = default)
    {
        ArgumentNullException.ThrowIfNull(socket);
        var calls = new SocketCalls(socket, Options);
        KeepAlivePlan plan = KeepAlivePlan.For(Options, spec, Options.SparesListeners && calls.IsListener());
        foreach (Shortfall shortfall in plan.Shortfalls) calls.Note(shortfall);
        foreach (PlanStep step in plan.Steps) calls.Perform(step);

        UserTimeoutPlan timeout = UserTimeoutPlan.For(Options, userTimeout, calls.Read(), spec.Policy);
        foreach (Shortfall shortfall in timeout.Shortfalls) calls.Note(shortfall);
        if (timeout.Step is { } set) calls.Perform(set);
        return calls.Report(plan, timeout);
    }

    /// <summary>What <see cref="Apply"/> calls, in order, for sockets that are alike: the values in force are those it has read back from one.</summary>
    internal static IReadOnlyList<PlanStep> StepsFor(KeepAliveSpec spec, UserTimeout userTimeout, KernelKeepAliveValues effective)
    {
        IReadOnlyList<PlanStep> steps = KeepAlivePlan.For(Options, spec, isListener: false).Steps;
        return UserTimeoutPlan.For(Options, userTimeout, effective, spec.Policy).Step is { } timeout ? [.. steps, timeout] : steps;
    }

    /// <summary>What sets a policy on a socket, and leaves its user timeout alone.</summary>
    internal static IReadOnlyList<PlanStep> StepsFor(KeepAlivePolicy policy) => KeepAlivePlan.For(Options, KeepAliveSpec.Of(policy), isListener: false).Steps;

    /// <summary>What the socket's keepalive is set to now.</summary>
    /// <param name="socket">A TCP socket.</param>
    /// <returns>The values the kernel tells; null for those it does not.</returns>
    /// <exception cref="ArgumentNullException">The socket is null.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static KernelKeepAliveValues Read(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return new SocketCalls(socket, Options).Read();
    }
}
