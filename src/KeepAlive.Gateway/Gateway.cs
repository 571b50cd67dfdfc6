using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeepAlive.Core;
using KeepAlive.Gateway.Epoll;
using KeepAlive.Gateway.Transparent;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>
/// Accepts clients on one address and relays each to a server, with kernel keepalive on both legs and, where the
/// protocol has them, probes in the session itself.
/// </summary>
internal sealed class Gateway : IAsyncDisposable
{
    private const int Backlog = 1024;

    // Flow numbers are unique in the process, so that events of several gateways can share a log.
    private static long s_flows;

    private readonly GatewayOptions _options;
    private readonly Action<FlowEvent> _emit;
    private readonly Socket _listener;
    private readonly ClockThread? _clock;
    private readonly FlowSetting _setting;
    private readonly PassiveRelays? _passive;
    private readonly FlowSet _flows = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _noMore = new();
    private readonly EpollListener? _epoll;
    private readonly Destinations? _destinations;
    private readonly Task _accepting = Task.CompletedTask;
    private readonly Lock _changing = new();
    private bool _isTaken;

    private Gateway(GatewayOptions options, Socket listener, ClockThread? clock, Action<FlowEvent> emit)
    {
        _clock = clock;
        _options = options;
        _emit = emit;
        _listener = listener;
        Listening = (IPEndPoint)listener.LocalEndPoint!;
        bool isEpoll = clock is null;
        _setting = new FlowSetting(options, options.Protocol.Prepare?.Invoke(options.ProtocolOptionsInForce), clock?.Clock,
            new Dialer(options.ConnectTimeout, options.Redirected is not null ? OwnMark.ConnectAsync : isEpoll ? EpollConnect.ConnectAsync : null), new LegKeepAlive(options.Policy, options.Paths, emit), _flows, emit, _stopping.Token);
        _passive = options.PassiveRange is { } range ? new PassiveRelays(range, Listening.Address, _flows, _setting) : null;
        _destinations = options.Redirected is null ? null : new Destinations(Listening, _setting);
        if (!isEpoll)
        {
            _accepting = AcceptAsync();
            return;
        }

        _setting.KeepAlive.ApplyToListener(listener);
        _epoll = new EpollListener(listener, Begin, AcceptFailed);
        _epoll.Start();
    }

    /// <summary>Where it listens, the port the system chose included.</summary>
    public IPEndPoint Listening { get; }

    /// <summary>Flows open now.</summary>
    public int Flows => _flows.Count;

    /// <summary>Bytes that the peers of a leg have sent since the start; those of data connections are not among them.</summary>
    public long Received(Leg leg) => _flows.Received(leg);

    /// <summary>Adds where each open flow stands: a few loads a flow, so that it may be asked many times a second.</summary>
    public void ReadFacts(ICollection<FlowFacts> into)
    {
        ArgumentNullException.ThrowIfNull(into);
        _flows.ReadFacts(into);
    }

    /// <summary>What the kernel's keepalive does on each open flow's legs: two system calls a flow.</summary>
    public IEnumerable<FlowKernelProbes> ReadKernelProbes() => _flows.Snapshot().Select(flow => flow.AskKernel());

    /// <summary>Starts to listen.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="emit">Told of everything, from any thread, one call at a time per flow only; it must be quick and not throw.</param>
    /// <exception cref="ListenException">The address, or a port of the passive range, cannot be listened on.</exception>
    /// <exception cref="RedirectException">Redirected connections cannot be served: not Linux, or no right to.</exception>
    public static Gateway Start(GatewayOptions options, Action<FlowEvent> emit)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(emit);
        if (options.Redirected is not null) RedirectException.ThrowIfImpossible();
        return On(ListenSocket.Open(options.Listen, Backlog), options, emit);
    }

    /// <summary>Starts with a listener that another process has opened, and may still accept from.</summary>
    /// <param name="listener">A listening TCP socket; closed with the gateway, or when it cannot start.</param>
    /// <param name="options">What to do; that it listens on the address given here is for the caller to know.</param>
    /// <param name="emit">As for <see cref="Start"/>.</param>
    /// <exception cref="ListenException">A port of the passive range cannot be listened on.</exception>
    public static Gateway StartOn(Socket listener, GatewayOptions options, Action<FlowEvent> emit)
    {
        ArgumentNullException.ThrowIfNull(listener);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(emit);
        LoopbackPacing.Lift(listener, options.Listen.Address);
        ListenSocket.Refresh(listener);
        return On(listener, options, emit);
    }

    /// <summary>The listening socket, to be handed to another process.</summary>
    public SafeHandle Listener => _listener.SafeHandle;

    /// <summary>Gives the listener its options again, which another process that it was handed to may have changed.</summary>
    public void ReclaimListener()
    {
        ListenSocket.Refresh(_listener);
        if (_epoll is not null) _setting.KeepAlive.ApplyToListener(_listener);
    }

    /// <summary>
    /// Starts with the listener of another gateway, which accepts no more: clients that wait to be accepted, and those that come in
    /// between, see nothing of it. What the other has open it keeps; see <see cref="EndedAsync"/>.
    /// </summary>
    /// <param name="before">One that listens on the same address.</param>
    /// <param name="options">What to do. No passive range, here or there: its ports would be taken.</param>
    /// <param name="emit">As for <see cref="Start"/>.</param>
    /// <exception cref="ArgumentException">The two do not fit.</exception>
    /// <exception cref="ListenException">The kernel has no room to watch the listener: it is closed.</exception>
    public static async Task<Gateway> TakeOverAsync(Gateway before, GatewayOptions options, Action<FlowEvent> emit)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(emit);
        if (!before._options.Listen.Equals(options.Listen)) throw new ArgumentException($"the other one listens on {before._options.Listen}, not on {options.Listen}", nameof(options));
        if ((options.PassiveRange ?? before._options.PassiveRange) is not null || (options.Redirected ?? before._options.Redirected) is not null)
            throw new ArgumentException("the ports of a passive range, and redirected connections, cannot be taken over", nameof(options));
        await before.LeaveListenerAsync().ConfigureAwait(false);
        before._isTaken = true;
        ListenSocket.Refresh(before._listener);
        ClockThread? clock = options.Engine == RelayEngine.Auto && EpollLoop.IsHere ? null : new ClockThread();
        try
        {
            return new Gateway(options, before._listener, clock, emit);
        }
        catch (SocketException e)
        {
            clock?.Stop();
            before._listener.Dispose();
            throw new ListenException(before.Listening, e);
        }
    }

    /// <summary>
    /// Another policy from now on, for the flows that are open and their data connections, too: what is known of their peers is kept. From
    /// any thread; when it returns, none lives under the old one. Each is held for a few system calls.
    /// </summary>
    /// <exception cref="InvalidOperationException">Its flows have the policies of their paths.</exception>
    public void ChangePolicy(GatewayPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        if (_options.Paths is not null) throw new InvalidOperationException("each path of this gateway has a policy of its own");
        lock (_changing)
        {
            if (!_setting.KeepAlive.Change(policy)) return;
            RenewListener();
            foreach (FlowRelay relay in _flows.Snapshot()) Renew(relay);
            _passive?.Renew();
        }
    }

    /// <summary>Closes the listener; the flows that are open go on.</summary>
    public async Task AcceptNoMoreAsync()
    {
        await LeaveListenerAsync().ConfigureAwait(false);
        if (!_isTaken) _listener.Dispose();
    }

    /// <summary>Once nothing is accepted any more: done when all flows have ended by themselves.</summary>
    public Task EndedAsync() => _flows.EmptyAsync();

    /// <summary>Accepts no more, waits for the flows to end by themselves, and resets those that have not in time.</summary>
    /// <returns>How many flows had to be reset.</returns>
    public async Task<int> StopAsync(TimeSpan drain, CancellationToken atOnce = default)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await AcceptNoMoreAsync().ConfigureAwait(false);
        Task passive = _passive?.FinishAsync() ?? Task.CompletedTask;
        foreach (FlowRelay relay in _flows.Snapshot()) relay.StopOpening(FlowTexts.Stopping);
        try
        {
            await Task.WhenAll(passive, _flows.EmptyAsync()).WaitAsync(drain, atOnce).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // What is left is reset below.
        }

        FlowRelay[] left = _flows.Snapshot();
        foreach (FlowRelay relay in left) relay.Abort(DeathReason.Stopped, FlowTexts.Stopping);
        _passive?.Dispose();
        await _flows.EmptyAsync().ConfigureAwait(false);
        _clock?.Stop();
        return left.Length;
    }

    /// <summary>Stops at once.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_stopping.IsCancellationRequested) await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        _stopping.Dispose();
        _noMore.Dispose();
    }

    private static Gateway On(Socket listener, GatewayOptions options, Action<FlowEvent> emit)
    {
        ClockThread? clock = options.Engine == RelayEngine.Auto && EpollLoop.IsHere ? null : new ClockThread();
        try
        {
            return new Gateway(options, listener, clock, emit);
        }
        catch
        {
            clock?.Stop();
            listener.Dispose();
            throw;
        }
    }

    // A fault of our own costs the one flow.
    private static void Renew(FlowRelay relay)
    {
        try
        {
            relay.Renew();
        }
        catch (Exception e)
        {
            relay.OnFault(e);
        }
    }

    // Unless it is another's by now, or closed.
    private void RenewListener()
    {
        if (_epoll is null || _noMore.IsCancellationRequested) return;
        try
        {
            ReclaimListener();
        }
        catch (ObjectDisposedException)
        {
            // Closed meanwhile.
        }
    }

    private async Task LeaveListenerAsync()
    {
        await _noMore.CancelAsync().ConfigureAwait(false);
        _epoll?.Stop();
        await _accepting.ConfigureAwait(false);
    }

    private async Task AcceptAsync()
    {
        while (!_noMore.IsCancellationRequested)
        {
            try
            {
                Socket client = await _listener.AcceptAsync(_noMore.Token).ConfigureAwait(false);
                Begin(client);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (_noMore.IsCancellationRequested) return;
                AcceptFailed((e as SocketException)?.SocketErrorCode ?? SocketError.OperationAborted);
                await Task.Delay(TimeSpan.FromSeconds(1), _noMore.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void AcceptFailed(SocketError error) =>
        _emit(new FlowEvent(0, MonotonicClock.Now, FlowEventKind.Notice, $"accept failed: {new SocketException((int)error).Message}; trying again in 1s"));

    // By Linux's engine: nothing of the runtime's is made for a client that is served.
    private void Begin(int client, IPEndPoint peer)
    {
        // Those of a listener on loopback have it from there.
        if (!IPAddress.IsLoopback(Listening.Address)) LoopbackPacing.Lift(client, peer.Address);
        FlowSetting? setting = SettingFor(client);
        if (setting is { To: null }) Begin(new Socket(new SafeSocketHandle(client, ownsHandle: true)));
        else if (TryAdmit(client, peer, setting, out FlowRelay? relay)) relay.Open(client, setting.To!);
        else Refusal.Send(new Socket(new SafeSocketHandle(client, ownsHandle: true)), (setting?.Refusal ?? default).Span);
    }

    private void Begin(Socket client)
    {
        FlowSetting? setting = SettingFor((int)client.Handle);
        if (TryAdmit((int)client.Handle, client.RemoteEndPoint, setting, out FlowRelay? relay)) _ = relay.OpenAsync(client);
        else Refusal.Send(client, (setting?.Refusal ?? default).Span);
    }

    // Null for one that was to be redirected and was not.
    private FlowSetting? SettingFor(int client) => _destinations is null ? _setting : _destinations.Of(client);

    private bool TryAdmit(int client, EndPoint? peer, [NotNullWhen(true)] FlowSetting? setting, [NotNullWhen(true)] out FlowRelay? relay)
    {
        var flow = new Flow(Interlocked.Increment(ref s_flows), MonotonicClock.Now);
        relay = null;
        string? why = setting is null ? Destinations.Direct
            : _flows.Count >= _options.MaxFlows ? $"{_options.MaxFlows} flows are open, the most allowed (--max-flows)"
            : DescriptorReserve.IsTouchedBy(client, DescriptorReserve.Flows) ? "nearly out of descriptors: raise the limit (ulimit -n), or lower --max-flows"
            : null;
        if (setting is null || why is not null)
        {
            Emit(flow, FlowEventKind.Refused, $"{peer}: {why}");
            return false;
        }

        if (!_options.ProxyIn) Emit(flow, FlowEventKind.Opened, $"{peer} to {setting.ToText}"); // else whose it is has still to come
        relay = setting.NewRelay(flow);
        _flows.Add(relay);
        return true;
    }

    private void Emit(Flow flow, FlowEventKind kind, string text) => _emit(new FlowEvent(flow.Id, MonotonicClock.Now, kind, text));
}
