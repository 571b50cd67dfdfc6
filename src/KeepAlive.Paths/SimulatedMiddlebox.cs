using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Paths;

/// <summary>What a middlebox does with bytes of a flow whose binding is gone.</summary>
public enum ExpiredTreatment
{
    /// <summary>Drops them without a word: both ends believe in the connection for as long as TCP lets them.</summary>
    Drop,

    /// <summary>Answers with a reset.</summary>
    Reset,
}

/// <summary>What happened to a binding.</summary>
public enum BindingEvent
{
    /// <summary>The flow was opened.</summary>
    Created,

    /// <summary>Bytes passed.</summary>
    Refreshed,

    /// <summary>It was silent for too long.</summary>
    Expired,

    /// <summary>Bytes came for it after that.</summary>
    Refused,
}

/// <summary>
/// A middlebox in user space, for where no network namespace may be made: it forgets a flow that was silent for
/// longer than its timeout. It ends TCP on both sides, so bytes alone refresh it: what real ones that look above TCP
/// do, and harder to please than a NAT, which counts keepalive segments too.
/// </summary>
internal sealed class SimulatedMiddlebox : IDisposable
{
    private readonly IPEndPoint _target;
    private readonly TimeSpan _timeout;
    private readonly ExpiredTreatment _treatment;
    private readonly Action<BindingEvent> _tell;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Starts to relay loopback connections to the target.</summary>
    /// <param name="target">The server behind it.</param>
    /// <param name="timeout">Silence, either way, after which a binding is forgotten.</param>
    /// <param name="treatment">What becomes of bytes after that.</param>
    /// <param name="tell">Told of every event, from any thread.</param>
    public SimulatedMiddlebox(IPEndPoint target, TimeSpan timeout, ExpiredTreatment treatment, Action<BindingEvent> tell)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(tell);
        (_target, _timeout, _treatment, _tell) = (target, timeout, treatment, tell);
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _ = AcceptAsync();
    }

    /// <summary>Where it takes connections.</summary>
    public IPEndPoint Listening => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Ends it and every flow through it.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        CancellationToken stop = _stop.Token;
        try
        {
            while (true)
            {
                Socket inside = await _listener.AcceptAsync(stop).ConfigureAwait(false);
                _ = RelayAsync(inside, stop);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task RelayAsync(Socket inside, CancellationToken stop)
    {
        using Socket near = inside;
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var expiry = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var binding = new Binding(this, expiry);
        try
        {
            await far.ConnectAsync(_target, stop).ConfigureAwait(false);
            using CancellationTokenRegistration expire = expiry.Token.Register(() => binding.Expire(stop));
            expiry.CancelAfter(_timeout);
            _tell(BindingEvent.Created);
            await Task.WhenAll(binding.PumpAsync(near, far, stop), binding.PumpAsync(far, near, stop)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // An end is gone: so is the binding.
        }
        finally
        {
            binding.Forget();
        }
    }

    private sealed class Binding(SimulatedMiddlebox box, CancellationTokenSource expiry)
    {
        private readonly Lock _lock = new();
        private bool _expired;

        public async Task PumpAsync(Socket from, Socket to, CancellationToken stop)
        {
            byte[] buffer = new byte[4096];
            while (await from.ReceiveAsync(buffer, stop).ConfigureAwait(false) is var read and > 0)
            {
                if (Passes()) await to.SendAsync(buffer.AsMemory(0, read), stop).ConfigureAwait(false);
                else if (box._treatment == ExpiredTreatment.Reset) throw new OperationCanceledException();
            }

            if (Passes()) to.Shutdown(SocketShutdown.Send);
        }

        public void Forget()
        {
            lock (_lock) _expired = true;
        }

        private bool Passes()
        {
            lock (_lock)
            {
                if (!_expired) expiry.CancelAfter(box._timeout);
                box._tell(_expired ? BindingEvent.Refused : BindingEvent.Refreshed);
                return !_expired;
            }
        }

        public void Expire(CancellationToken stop)
        {
            lock (_lock)
            {
                if (_expired || stop.IsCancellationRequested) return;
                _expired = true;
                box._tell(BindingEvent.Expired);
            }
        }
    }
}
