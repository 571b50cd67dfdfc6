using System.Globalization;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Paths.Reflect;

/// <summary>A connection that is held, at the server: silent but for what it was asked to say.</summary>
internal sealed class HeldLane(PathLines lines, LaneRequest request)
{
    private const string Byte = ".";

    // A path that loses some of them is measured all the same.
    private const int ProbesMax = 8;

    private readonly TaskCompletionSource _speak = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Instant _lastHeard;
    private long _baseline;
    private volatile bool _isDropped;

    /// <summary>Since the client's last line, or since it is held.</summary>
    public TimeSpan Silence => PathClock.Now - _lastHeard;

    /// <summary>Segments and bytes that came in, as STATE tells them.</summary>
    public string State => string.Create(CultureInfo.InvariantCulture, $"{(SegmentsIn.Read(lines.Socket) is { } segments ? $"{segments}" : "-")} {lines.BytesRead - _baseline}");

    public void Speak() => _speak.TrySetResult();

    public void Drop()
    {
        _isDropped = true;
        lines.Reset(); // which ends the reading, and that the rest
    }

    /// <summary>Holds it until it ends.</summary>
    /// <param name="mayRead">Whether the client may send these words, too.</param>
    /// <param name="stop">Ends it without a word.</param>
    /// <returns>How it ended; null when it was ended here.</returns>
    public async Task<string?> RunAsync(Predicate<string[]> mayRead, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (request.KeepAlive > TimeSpan.Zero)
            KernelKeepAlive.Apply(lines.Socket, KeepAliveSpec.Of(new KeepAlivePolicy(request.KeepAlive, ProbesMax, request.KeepAlive)), UserTimeout.Off);
        _baseline = lines.BytesRead;
        await lines.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"HELD {request.Lane}"), end.Token).ConfigureAwait(false);
        _lastHeard = PathClock.Now;
        Task<string?> reading = ReadAsync(mayRead, end.Token), speaking = SpeakAsync(end.Token);
        string? how = await (await Task.WhenAny(reading, Failure(speaking)).ConfigureAwait(false)).ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        lines.Reset();
        await Task.WhenAll(reading, speaking).ConfigureAwait(false);
        return _isDropped || stop.IsCancellationRequested ? null : how;
    }

    // Having spoken ends nothing.
    private static async Task<string?> Failure(Task<string?> speaking) =>
        await speaking.ConfigureAwait(false) ?? await new TaskCompletionSource<string?>().Task.ConfigureAwait(false);

    private async Task<string?> ReadAsync(Predicate<string[]> mayRead, CancellationToken stop)
    {
        try
        {
            while (await lines.ReadAsync(stop).ConfigureAwait(false) is { } words)
            {
                _lastHeard = PathClock.Now;
                if (!mayRead(words)) return null;
            }

            return "fin";
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException or PathProtocolException)
        {
            return HowEnded(e);
        }
    }

    private async Task<string?> SpeakAsync(CancellationToken stop)
    {
        try
        {
            Task due = request.SpeakAfter > TimeSpan.Zero ? Task.Delay(request.SpeakAfter, stop) : Task.Delay(Timeout.Infinite, stop);
            while (true)
            {
                Task first = await (request.SayEvery > TimeSpan.Zero ? Task.WhenAny(due, _speak.Task, Task.Delay(request.SayEvery, stop)) : Task.WhenAny(due, _speak.Task)).ConfigureAwait(false);
                await first.ConfigureAwait(false);
                if (first == due || first == _speak.Task) break;
                await lines.WriteAsync(Byte, stop).ConfigureAwait(false);
            }

            await lines.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"SPOKE {request.Lane}"), stop).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            return HowEnded(e);
        }
    }

    private static string? HowEnded(Exception e) => e is SocketException { SocketErrorCode: var code } ? code switch
    {
        SocketError.TimedOut or SocketError.HostUnreachable or SocketError.NetworkUnreachable => "timeout",
        SocketError.OperationAborted => null,
        _ => "reset",
    } : null;
}
