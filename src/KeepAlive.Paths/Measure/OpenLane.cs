using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Paths.Reflect;
using KeepAlive.Sockets;

namespace KeepAlive.Paths.Measure;

/// <summary>A lane's connection, at the client.</summary>
internal sealed class OpenLane(Lane lane, Action<Action<Measurement>> tell)
{
    private static readonly TimeSpan OpeningTime = TimeSpan.FromSeconds(10);

    // Beyond what a measurement lives: a lane whose probes are not answered is to be judged, not to be ended by our own kernel.
    private const int ProbesMax = KeepAlivePolicy.CountMax;

    private volatile PathLines? _lines;
    private volatile bool _isDropped;

    /// <summary>Whether the kernel's probes have been answered so far; null where it does not tell.</summary>
    public bool? IsAnswered => _lines is { } lines && !_isDropped && PeerContact.Read(lines.Socket) is { } contact ? contact.UnansweredProbes == 0 : null;

    /// <summary>Connects, is held, listens until it is dropped or ends.</summary>
    public async Task RunAsync(IPEndPoint reflector, string session, CancellationToken stop)
    {
        Instant? since = null;
        try
        {
            using (var time = CancellationTokenSource.CreateLinkedTokenSource(stop))
            {
                time.CancelAfter(OpeningTime);
                await ConnectAsync(reflector, session, time.Token).ConfigureAwait(false);
            }

            Instant held = PathClock.Now;
            since = held;
            tell(m => m.OnHeld(lane.Number, held));
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
            Task saying = lane.Kind == LaneKind.ClientBytes ? SayOnAsync(end.Token) : Task.CompletedTask;
            try
            {
                await ListenAsync(held, stop).ConfigureAwait(false);
            }
            finally
            {
                await end.CancelAsync().ConfigureAwait(false);
                await saying.ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException or PathProtocolException)
        {
            Instant now = PathClock.Now;
            if (since is not { } held) tell(m => m.OnFailed(lane.Number, now));
            else if (!_isDropped && e is SocketException failed) tell(m => m.OnEnded(lane.Number, failed.SocketErrorCode == SocketError.TimedOut ? LaneEnd.Timeout : LaneEnd.Reset, now - held, now));
        }
        finally
        {
            _lines?.Reset();
        }
    }

    /// <summary>Says something, to see what becomes of it.</summary>
    public async Task SayAsync(CancellationToken stop)
    {
        try
        {
            if (_lines is { } lines) await lines.WriteAsync(".", stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Whoever listens is told why.
        }
    }

    /// <summary>Ends it without a word.</summary>
    public void Drop()
    {
        _isDropped = true;
        _lines?.Reset();
    }

    private async Task ConnectAsync(IPEndPoint reflector, string session, CancellationToken stop)
    {
        var socket = new Socket(reflector.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var lines = new PathLines(socket);
        _lines = lines;
        await socket.ConnectAsync(reflector, stop).ConfigureAwait(false);
        TimeSpan every = MeasureOptions.RefreshEvery;
        if (lane.Kind == LaneKind.ClientKeepAlive) KernelKeepAlive.Apply(socket, KeepAliveSpec.Of(new KeepAlivePolicy(every, ProbesMax, every)), UserTimeout.Off);
        await lines.WriteAsync(new LaneRequest(session, lane.Number, lane.Silence, Of(LaneKind.ServerKeepAlive), Of(LaneKind.ServerBytes)).ToString(), stop).ConfigureAwait(false);
        if (await lines.ReadAsync(stop).ConfigureAwait(false) is not ["HELD", _]) throw new PathProtocolException("the reflector does not hold the connection");

        TimeSpan Of(LaneKind kind) => lane.Kind == kind ? every : TimeSpan.Zero;
    }

    private async Task ListenAsync(Instant held, CancellationToken stop)
    {
        while (await _lines!.ReadAsync(stop).ConfigureAwait(false) is { } words)
        {
            Instant heard = PathClock.Now;
            if (words is ["SPOKE", _]) tell(m => m.OnSpoken(lane.Number, heard));
        }

        Instant ended = PathClock.Now;
        if (!_isDropped) tell(m => m.OnEnded(lane.Number, LaneEnd.Close, ended - held, ended));
    }

    private async Task SayOnAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(MeasureOptions.RefreshEvery, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await SayAsync(stop).ConfigureAwait(false);
        }
    }
}
