using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway.Splice;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>
/// Accepts clients on one address and relays each to a server, with kernel keepalive on both legs and, where the
/// protocol has them, probes in the session itself.
/// </summary>
public sealed class Gateway : IAsyncDisposable
{
    private const int Backlog = 1024;
    private const string StopText = "the gateway stops";

    // What a refused client had said already is read up to here: the rest would turn its FIN into a reset.
    private const int RefusedReadMax = 64 * 1024;

    // Flow numbers are unique in the process, so that events of several gateways can share a log.
    private static long s_flows;

    private readonly GatewayOptions _options;
    private readonly Action<FlowEvent> _emit;
    private readonly Socket _listener;
    private readonly FlowClock _clock;
    private readonly FlowSetting _setting;
    private readonly PassiveRelays? _passive;
    private readonly ConcurrentDictionary<long, Task> _tasks = new();
    private readonly ConcurrentDictionary<long, FlowRelay> _relays = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private volatile bool _resetting;

    private Gateway(GatewayOptions options, Socket listener, FlowClock clock, Action<FlowEvent> emit)
    {
        _clock = clock;
        _options = options;
        _emit = emit;
        _listener = listener;
        Listening = (IPEndPoint)listener.LocalEndPoint!;
        _setting = new FlowSetting(options, options.Protocol.Prepare?.Invoke(options.ProtocolOptions), _clock, new Dialer(options.ConnectTimeout, SplicedConnect.Connector), new LegKeepAlive(options, emit), emit);
        _passive = options.PassiveRange is { } range ? new PassiveRelays(range, Listening.Address, _relays, _setting) : null;
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens, the port the system chose included.</summary>
    public IPEndPoint Listening { get; }

    /// <summary>Flows open now.</summary>
    public int Flows => _tasks.Count;

    /// <summary>Starts to listen.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="emit">Told of everything, from any thread, one call at a time per flow only; it must be quick and not throw.</param>
    /// <exception cref="ListenException">The address, or a port of the passive range, cannot be listened on.</exception>
    public static Gateway Start(GatewayOptions options, Action<FlowEvent> emit)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(emit);
        Socket listener = ListenSocket.Open(options.Listen, Backlog);
        var clock = new FlowClock();
        try
        {
            return new Gateway(options, listener, clock, emit);
        }
        catch
        {
            clock.Stop();
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Accepts no more, waits for the flows to end by themselves, and resets those that have not in time.</summary>
    /// <returns>How many flows had to be reset.</returns>
    public async Task<int> StopAsync(TimeSpan drain, CancellationToken atOnce = default)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        Task passive = _passive?.FinishAsync() ?? Task.CompletedTask;
        await _accepting.ConfigureAwait(false);
        try
        {
            await Task.WhenAll([passive, .. _tasks.Values]).WaitAsync(drain, atOnce).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // What is left is reset below.
        }

        _resetting = true; // before the look at who is left: whoever comes after it sees this
        FlowRelay[] left = [.. _relays.Values];
        foreach (FlowRelay relay in left) relay.Abort(Leg.Downstream, StopText);
        _passive?.Dispose();
        await Task.WhenAll(_tasks.Values).ConfigureAwait(false);
        _clock.Stop();
        return left.Length;
    }

    /// <summary>Stops at once.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_stopping.IsCancellationRequested) await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Socket client = await _listener.AcceptAsync(_stopping.Token).ConfigureAwait(false);
                Begin(client);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (_stopping.IsCancellationRequested) return;
                _emit(new FlowEvent(0, MonotonicClock.Now, FlowEventKind.Notice, $"accept failed: {e.Message}; trying again in 1s"));
                await Task.Delay(TimeSpan.FromSeconds(1), _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Begin(Socket client)
    {
        var flow = new Flow(Interlocked.Increment(ref s_flows), MonotonicClock.Now);
        if (_tasks.Count >= _options.MaxFlows)
        {
            Emit(flow, FlowEventKind.Refused, $"{client.RemoteEndPoint}: {_options.MaxFlows} flows are open, the most allowed (--max-flows)");
            Refuse(client);
            return;
        }

        if (DescriptorReserve.IsTouchedBy(client, DescriptorReserve.Flows))
        {
            Emit(flow, FlowEventKind.Refused, $"{client.RemoteEndPoint}: nearly out of descriptors: raise the limit (ulimit -n), or lower --max-flows");
            Refuse(client);
            return;
        }

        // Entered before it runs, so that it cannot leave before it has entered.
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _tasks[flow.Id] = ServeAsync(client, flow, entered.Task);
        entered.SetResult();
    }

    private async Task ServeAsync(Socket client, Flow flow, Task entered)
    {
        await entered.ConfigureAwait(false);
        try
        {
            Emit(flow, FlowEventKind.Opened, $"{client.RemoteEndPoint} to {_options.To}");
            await RelayAsync(client, flow).ConfigureAwait(false);
        }
        catch (DialException e)
        {
            Emit(flow, FlowEventKind.Refused, e.Message, Leg.Upstream);
            Refuse(client);
        }
        catch (Exception e)
        {
            // Stopped, gone already, or a fault of ours, which costs this flow alone.
            Emit(flow, FlowEventKind.Refused, $"ended before it began: {e.Message}");
            client.Reset();
        }
        finally
        {
            _relays.TryRemove(flow.Id, out _);
            _tasks.TryRemove(flow.Id, out _);
        }
    }

    private async Task RelayAsync(Socket client, Flow flow)
    {
        Instant started = MonotonicClock.Now;
        using Socket server = await _setting.Dialer.DialAsync(_options.To, _stopping.Token).ConfigureAwait(false);
        using Socket near = client; // from here on; without a server it is still to be told so
        client.NoDelay = true;
        _setting.KeepAlive.Apply(client, Leg.Downstream, flow.Id);
        _setting.KeepAlive.Apply(server, Leg.Upstream, flow.Id);
        Emit(flow, FlowEventKind.Connected, $"{server.RemoteEndPoint}", Leg.Upstream, MonotonicClock.Now - started);
        var relay = new FlowRelay(flow, client, server, _setting);
        _relays[flow.Id] = relay;
        if (_resetting) relay.Abort(Leg.Downstream, StopText);
        await relay.RunAsync().ConfigureAwait(false);
        Emit(flow, FlowEventKind.Closed, $"{flow.Received(Leg.Downstream)} bytes up, {flow.Received(Leg.Upstream)} bytes down", took: MonotonicClock.Now - flow.Opened);
    }

    private void Refuse(Socket client)
    {
        try
        {
            client.Blocking = false;
            if (!_options.Protocol.Refusal.IsEmpty) client.Send(_options.Protocol.Refusal.Span);
            Span<byte> said = stackalloc byte[4096];
            for (int read = 0; read < RefusedReadMax && client.Available > 0;) read += client.Receive(said);
        }
        catch (SocketException)
        {
            // It is being turned away; that it has gone already is as good.
        }

        client.CloseOrderly();
    }

    private void Emit(Flow flow, FlowEventKind kind, string text, Leg? leg = null, TimeSpan? took = null) =>
        _emit(new FlowEvent(flow.Id, MonotonicClock.Now, kind, text) { Leg = leg, Took = took });
}
