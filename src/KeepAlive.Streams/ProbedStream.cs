using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using KeepAlive.Core;

namespace KeepAlive.Protocols;

/// <summary>
/// The engine of a <see cref="KeepAliveStream"/>:
/// <code>
/// client ─ writes ─▶ Protocol ─ to upstream ─▶ outbound ─▶ inner            Protocol and both queues under one lock;
/// client ◀─ reads ── inbound ◀─ to downstream ─ Protocol ◀──── inner        inner is written by one at a time
/// KeepAliveClock ─ a probe is due ─▶ Protocol.TryProbe ─▶ outbound
/// </code>
/// </summary>
internal sealed class ProbedStream : IKeepAliveProbe, IDisposable
{
    // For the time of a read.
    private const int ReadBytes = 16 * 1024;

    // What is kept for a client that does not read, while its session is kept alive.
    private const int UnreadMax = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly TimeProvider _time;
    private readonly Protocol _protocol;
    private readonly Verdicts _verdicts = new();
    private readonly ArrayBufferWriter<byte> _outbound = new();
    private readonly ArrayBufferWriter<byte> _inbound = new();
    private readonly ITimer _deadline;
    private int _taken; // of _inbound
    private TaskCompletionSource? _held;
    private Task<int>? _hearing;
    private bool _isEnded;
    private bool _isOver;

    public ProbedStream(Stream inner, NewProtocol make, KeepAlivePolicy policy, KeepAliveClock clock, TimeProvider time)
    {
        (Inner, _time) = (inner, time);
        _protocol = make(NoDataPaths.Instance, Now, (uint)Random.Shared.Next());
        _deadline = time.CreateTimer(static stream => ((ProbedStream)stream!).OnDeadline(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Flow = clock.Watch(policy, this);
    }

    public Stream Inner { get; }

    public KeepAliveFlow Flow { get; }

    public string? WhyPlain { get; private set; }

    private Instant Now => new(_time.GetElapsedTime(0).Ticks);

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        if (buffer.IsEmpty) return 0;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, Flow.PeerDied);
        try
        {
            while (true)
            {
                Task<int> hearing;
                lock (_lock)
                {
                    if (Take(buffer.Span) is > 0 and var taken) return taken;
                    hearing = Hearing();
                }

                // Whoever stops waiting loses nothing: what comes then is for the next read.
                if (await hearing.WaitAsync(either.Token).ConfigureAwait(false) > 0) continue;
                lock (_lock) return Take(buffer.Span);
            }
        }
        catch (OperationCanceledException) when (Flow.IsPeerDead && !cancellation.IsCancellationRequested)
        {
            throw Dead();
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        if (Flow.IsPeerDead) throw Dead();
        if (bytes.IsEmpty) return;
        while (HeldUntil() is { } free) await free.WaitAsync(cancellation).ConfigureAwait(false);
        Tell(Leg.Downstream, bytes.Span);
        await SendOutboundAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask SendProbeAsync()
    {
        lock (_lock)
        {
            // What wants no answer, and what may not be sent, proves nothing by silence; nor does a client that reads nothing of so much.
            if (_protocol.IsPlain || Unread > UnreadMax || _protocol.TryProbe(Leg.Upstream, Now, _verdicts).Outcome != ProbeOutcome.Sent) Flow.Touch();
            else _ = Hearing(); // the answer has to be heard, though the client may not be reading
            CarryOut();
        }

        await SendOutboundAsync().ConfigureAwait(false);
    }

    public void Dispose()
    {
        Flow.Dispose();
        _deadline.Dispose();
        Inner.Dispose();
        lock (_lock)
        {
            _isOver = true;
            _held?.TrySetResult();
        }
    }

    // Under the lock: what is heard is heard once, whoever waits for it.
    private Task<int> Hearing() => _hearing is { IsCompleted: false } ? _hearing : _hearing = HearAsync();

    private async Task<int> HearAsync()
    {
        // These wait with an empty buffer: an idle stream then holds none.
        if (Inner is NetworkStream or SslStream) await Inner.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
        byte[] rented = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            int read = await Inner.ReadAsync(rented.AsMemory(0, ReadBytes)).ConfigureAwait(false);
            Flow.Touch();
            Tell(Leg.Upstream, rented.AsSpan(0, read));
            _ = SendLaterAsync(); // not waited for: a reader that waits for a writer may be what the server waits for
            return read;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void Tell(Leg from, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (bytes.IsEmpty) End(from);
            else if (_protocol.IsPlain) _verdicts.Send(from.Other(), bytes);
            else _protocol.OnReceived(from, bytes, Now, _verdicts);
            CarryOut();
        }
    }

    private void End(Leg from)
    {
        if (!_isEnded) _protocol.OnEnded(from, _verdicts);
        _isEnded = true;
    }

    private void OnDeadline()
    {
        lock (_lock)
        {
            if (Now < _protocol.Deadline) return;
            _protocol.OnDeadline(Now, _verdicts);
            CarryOut();
        }

        _ = SendLaterAsync();
    }

    // Under the lock.
    private void CarryOut()
    {
        _outbound.Write(_verdicts.BytesFor(Leg.Upstream));
        _inbound.Write(_verdicts.BytesFor(Leg.Downstream));
        foreach (Note note in _verdicts.Notes)
            if (note.Kind == FlowEventKind.PlainRelay) WhyPlain ??= note.Text;
        _verdicts.Clear();
        if (_protocol.IsHolding(Leg.Downstream)) return;
        _held?.TrySetResult();
        _held = null;
    }

    private Task? HeldUntil()
    {
        lock (_lock)
        {
            if (_isOver || !_protocol.IsHolding(Leg.Downstream)) return null;
            _held ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Instant deadline = _protocol.Deadline;
            if (deadline != Instant.Never) _deadline.Change(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling((deadline - Now).TotalMilliseconds))), Timeout.InfiniteTimeSpan);
            return _held.Task;
        }
    }

    // Under the lock.
    private int Unread => _inbound.WrittenCount - _taken;

    private int Take(Span<byte> buffer)
    {
        ReadOnlySpan<byte> waiting = _inbound.WrittenSpan[_taken..];
        int taken = Math.Min(waiting.Length, buffer.Length);
        waiting[..taken].CopyTo(buffer);
        _taken += taken;
        if (Unread > 0) return taken;
        _inbound.ResetWrittenCount();
        _taken = 0;
        return taken;
    }

    // Whoever reads or writes next is told what went wrong.
    private async Task SendLaterAsync()
    {
        try
        {
            await SendOutboundAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The connection is over.
        }
    }

    // In the order in which it came to be there, whoever sends it.
    private async Task SendOutboundAsync(CancellationToken cancellation = default)
    {
        await _writing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            byte[] bytes;
            lock (_lock)
            {
                bytes = _outbound.WrittenSpan.ToArray();
                _outbound.ResetWrittenCount();
            }

            if (bytes.Length == 0) return;
            await Inner.WriteAsync(bytes, CancellationToken.None).ConfigureAwait(false); // half a message would end the session
            await Inner.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    private static IOException Dead() => new("the server is dead: it answered no probe");
}
