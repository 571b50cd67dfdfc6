using System.Buffers;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>
/// One flow between its two legs, from both connected to both closed.
/// </summary>
/// <remarks>
/// <code>
/// pump of a leg ─ bytes ─▶ Protocol ─ Verdicts ─▶ LegSocket queues ─▶ the wire        under the flow's lock
/// FlowClock ─ deadline ─▶ Probe ─ effect ─▶ Protocol.TryProbe ──▲
/// </code>
/// A flow without a protocol is a <see cref="PlainPair"/>; one whose protocol became plain, two <see cref="PlainPump"/>s.
/// </remarks>
internal sealed class FlowRelay
{
    // A control connection's lines: a page holds dozens.
    private const int InspectedBufferBytes = 4096;

    private readonly Lock _lock = new();
    private readonly FlowSetting _setting;
    private readonly LegSocket _downstream;
    private readonly LegSocket _upstream;
    private readonly DataConnections _data;
    private readonly Protocol? _protocol;
    private readonly ScheduleEntry _alarm;
    private readonly Verdicts _verdicts = new();
    private Probe _probe;
    private bool _probes;
    private SendWatch _toDownstream;
    private SendWatch _toUpstream;
    private Instant _look = Instant.Never;
    private bool _closed;
    private string? _withheld;
    private TaskCompletionSource? _released;
    private FlowEvent? _death;
    private PlainPair? _plain;

    public FlowRelay(Flow flow, Socket downstream, Socket upstream, FlowSetting setting)
    {
        Flow = flow;
        _setting = setting;
        _downstream = new LegSocket(Leg.Downstream, downstream);
        _upstream = new LegSocket(Leg.Upstream, upstream);
        _data = new DataConnections(flow, _downstream, _upstream, setting);
        Instant now = MonotonicClock.Now;
        uint seed = (uint)Random.Shared.Next();
        _protocol = setting.NewProtocol?.Invoke(_data, now, seed);
        _look = now + setting.KeepAlive.SendLook;
        KeepUrgentInline(downstream);
        KeepUrgentInline(upstream);
        if (_protocol is not null)
        {
            _probes = setting.Options.Probe.IsOn;
            if (_probes) _probe = new Probe(setting.Options.Probe.Policy ?? KeepAlivePolicy.Default, ProbeQuestion.PeerAlive, now, Random.Shared.NextDouble());
        }

        _alarm = setting.Clock.Add(this); // last: nothing after it can fail and leave it there
    }

    public Flow Flow { get; }

    /// <summary>The client's address: data connections and passed-through ports are for it alone.</summary>
    public LegSocket Downstream => _downstream;

    public LegSocket Upstream => _upstream;

    public DataConnections Data => _data;

    /// <summary>Relays until both legs are closed.</summary>
    public async Task RunAsync()
    {
        lock (_lock)
        {
            Rearm();
            if (_protocol is null && _death is null) _plain = new PlainPair(_downstream.Socket, _upstream.Socket, Flow);
        }

        await Task.WhenAll(PumpAsync(_downstream, _upstream), PumpAsync(_upstream, _downstream)).ConfigureAwait(false);
        lock (_lock) _probes = false;
        Task ended = _data.FinishAsync(); // first: nothing is opened behind the back of what follows
        // A transfer may outlive its control connection; one whose control connection died does not.
        if (_death is not null) _data.Close();
        await ended.ConfigureAwait(false);
        lock (_lock) _closed = true;
        _setting.Clock.Remove(_alarm);
        _downstream.Socket.Dispose();
        _upstream.Socket.Dispose();
        if (_death is not null) _setting.Emit(_death);
    }

    /// <summary>Ends both legs and all data connections at once, with a reset.</summary>
    public void Abort(Leg leg, string why)
    {
        Die(leg, why);
        _data.Close(); // also when it had died before
    }

    /// <summary>A fault in our own code: it costs the flow it happened to, and is told.</summary>
    public static string FaultText(Exception e) => $"a fault of the gateway's own: {e.GetType().Name}: {e.Message}";

    /// <summary>The clock has come to what <see cref="Rearm"/> asked for.</summary>
    public void OnDeadline(Instant now)
    {
        lock (_lock)
        {
            if (_closed || _death is not null || (now >= _look && !Look(now))) return;
            _protocol?.OnDeadline(now, _verdicts);
            switch (_probes ? _probe.OnDeadline(now) : ProbeEffect.None)
            {
                case ProbeEffect.SendProbe:
                    SendProbe(now);
                    break;
                case ProbeEffect.GiveUp:
                    Die(Leg.Upstream, $"{_probe.Unanswered} probes in a row unanswered");
                    return;
            }

            CarryOut();
            Rearm();
            Release();
        }

        // Not awaited: a leg that takes no bytes shows in its pump, and what waits here is bounded by the protocol.
        FlushQuietly(_upstream);
        FlushQuietly(_downstream);
    }

    // Whether both peers still acknowledge what is sent to them, and one that has ended is still there.
    private bool Look(Instant now)
    {
        _look = now + (_downstream.HasEnded || _upstream.HasEnded ? _setting.KeepAlive.EndedLook : _setting.KeepAlive.SendLook);
        _data.Look(_setting.KeepAlive.SendBound, now);
        string? downstream = DeathOf(_downstream, ref _toDownstream, now);
        if ((downstream ?? DeathOf(_upstream, ref _toUpstream, now)) is not { } why) return true;
        Die(downstream is not null ? Leg.Downstream : Leg.Upstream, why);
        return false;
    }

    private string? DeathOf(LegSocket leg, ref SendWatch watch, Instant now) =>
        _setting.KeepAlive.SendBound is { } bound && watch.IsDead(leg.Socket, bound, now) ? $"nothing sent to it was acknowledged for {Duration.Format(bound)}"
        : leg.HasEnded ? SocketIO.DeathAfterEnd(leg.Socket) : null;

    private async Task PumpAsync(LegSocket from, LegSocket to)
    {
        try
        {
            if (_protocol is not null) await PumpInspectedAsync(from, to, _protocol).ConfigureAwait(false);
            else if (_plain is not null) await _plain.RunAsync(from.Leg).ConfigureAwait(false);
            else return; // dead before it began
            SocketIO.ShutdownSend(to.Socket);
            lock (_lock)
            {
                from.HasEnded = true;
                _look = Instant.Min(_look, MonotonicClock.Now + _setting.KeepAlive.EndedLook);
                Rearm();
            }
        }
        catch (RelayException e)
        {
            Die(e.Call == RelayCall.Receive ? from.Leg : to.Leg, e.Describe());
        }
        catch (OperationCanceledException)
        {
            // Detached: the other direction, or whoever did it, says why.
        }
        catch (Exception e)
        {
            Die(from.Leg, FaultText(e));
        }
    }

    private async Task PumpInspectedAsync(LegSocket from, LegSocket to, Protocol protocol)
    {
        while (true)
        {
            await ReleasedAsync(from.Leg).ConfigureAwait(false);
            await SocketIO.ReadableAsync(from.Socket).ConfigureAwait(false);
            byte[] buffer = ArrayPool<byte>.Shared.Rent(InspectedBufferBytes);
            int read;
            try
            {
                read = await SocketIO.ReceiveAsync(from.Socket, buffer).ConfigureAwait(false);
                Inspect(from.Leg, buffer.AsSpan(0, read), protocol);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            // A client that does not read what it is told is read no further, or its refusals would pile up here.
            if (from.Leg == Leg.Downstream) await AwaitFlushAsync(from, from.FlushAsync()).ConfigureAwait(false);
            else FlushQuietly(from);
            await to.FlushAsync().ConfigureAwait(false);
            if (read == 0) return;
            if (!protocol.IsPlain) continue;
            await PlainPump.RunAsync(from.Socket, to.Socket, Flow, from.Leg).ConfigureAwait(false);
            return;
        }
    }

    private void Inspect(Leg from, ReadOnlySpan<byte> bytes, Protocol protocol)
    {
        Instant now = MonotonicClock.Now;
        lock (_lock)
        {
            if (_death is not null) return;
            if (bytes.IsEmpty)
            {
                protocol.OnEnded(from, _verdicts);
            }
            else
            {
                Flow.OnReceived(from, bytes.Length, now);
                if (from == Leg.Upstream) _probe.OnReceived(now);
                protocol.OnReceived(from, bytes, now, _verdicts);
            }

            if (_verdicts.BytesFor(Leg.Upstream).Length > 0) _probe.OnSent(now);
            CarryOut();
            Rearm();
            Release();
        }
    }

    private void Release()
    {
        if (_released is null || _protocol!.IsHolding(Leg.Downstream)) return;
        _released.SetResult();
        _released = null;
    }

    // The client's bytes wait for an answer that is on its way: read no more of them until it is here.
    private Task ReleasedAsync(Leg from)
    {
        lock (_lock)
        {
            if (_closed || _death is not null || !_protocol!.IsHolding(from)) return Task.CompletedTask;
            _released ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _released.Task;
        }
    }

    private void SendProbe(Instant now)
    {
        ProbeAttempt attempt = ClientProven(now) is { } why
            ? new ProbeAttempt(ProbeOutcome.Withheld, why)
            : _protocol!.TryProbe(Leg.Upstream, now, _verdicts);
        if (attempt.Outcome == ProbeOutcome.Sent) _probe.OnProbeSent(now);
        else if (attempt.Outcome == ProbeOutcome.Refreshed) _probe.OnRefreshSent(now);
        else _probe.OnWithheld(now);

        if (attempt.Outcome != ProbeOutcome.Withheld) _verdicts.Note(FlowEventKind.ProbeSent, attempt.Text, Leg.Upstream);
        else if (attempt.Text != _withheld && !_protocol!.IsPlain) _verdicts.Note(FlowEventKind.ProbeWithheld, attempt.Text, Leg.Upstream);
        _withheld = attempt.Outcome == ProbeOutcome.Withheld ? attempt.Text : null;
    }

    // Probing the server for a client that is gone would keep its session open for nobody (liveness laundered).
    private string? ClientProven(Instant now)
    {
        TimeSpan bound = (_setting.Options.Probe.Policy ?? KeepAlivePolicy.Default).DetectionTime;
        TimeSpan silence = Flow.Silence(Leg.Downstream, now);
        if (silence <= bound || _data.ProveClient(bound, now)) return null;
        PeerContact? contact = PeerContact.Read(_downstream.Socket);
        if (_setting.Options.Tcp.IsOn && contact is not { UnansweredProbes: > 0 }) return null;
        return _setting.Options.Tcp.IsOn
            ? "the client leaves kernel keepalive unanswered"
            : $"the client has been silent for over {Duration.Format(bound)} and kernel keepalive, which could prove it alive, is off";
    }

    private void CarryOut()
    {
        foreach (Note note in _verdicts.Notes)
            _setting.Emit(new FlowEvent(Flow.Id, MonotonicClock.Now, note.Kind, note.Text) { Leg = note.Leg, Took = note.Took });
        _downstream.Queue(_verdicts.BytesFor(Leg.Downstream), 0);
        _upstream.Queue(_verdicts.BytesFor(Leg.Upstream), _verdicts.UrgentUpTo);
        _verdicts.Clear();
    }

    private void Rearm()
    {
        if (_closed) return;
        Instant deadline = Instant.Min(_look, _protocol?.Deadline ?? Instant.Never);
        if (_protocol is { IsPlain: true }) _probes = false;
        if (_probes) deadline = Instant.Min(deadline, _probe.Deadline);
        _setting.Clock.Arm(_alarm, deadline);
    }

    // When one leg dies the other is closed the way it died. Whoever comes second is its consequence.
    private void Die(Leg leg, string why)
    {
        lock (_lock)
        {
            if (_closed || _death is not null) return;
            Instant now = MonotonicClock.Now;
            TimeSpan silence = Flow.Silence(leg, now);
            _death = new FlowEvent(Flow.Id, now, FlowEventKind.Died, $"{why}; silent for {Duration.Format(Round(silence))}") { Leg = leg, Took = silence };
            _released?.SetResult();
            _released = null;
        }

        _plain?.Detach();
        _downstream.Socket.Reset();
        _upstream.Socket.Reset();
        _data.Close();
    }

    private static TimeSpan Round(TimeSpan span) => TimeSpan.FromMilliseconds(Math.Round(span.TotalMilliseconds / 10) * 10);

    private void FlushQuietly(LegSocket leg)
    {
        Task flush = leg.FlushAsync();
        if (flush.IsCompletedSuccessfully) return;
        _ = AwaitFlushAsync(leg, flush);
    }

    private async Task AwaitFlushAsync(LegSocket leg, Task flush)
    {
        try
        {
            await flush.ConfigureAwait(false);
        }
        catch (RelayException e)
        {
            Die(leg.Leg, e.Describe());
        }
    }

    // Telnet Synch comes as TCP urgent data; out of line its byte would be lost to the other end, in a plain relay too.
    private static void KeepUrgentInline(Socket socket) => socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.OutOfBandInline, true);
}
