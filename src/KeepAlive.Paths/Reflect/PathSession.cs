using System.Globalization;
using System.Net.Sockets;

namespace KeepAlive.Paths.Reflect;

/// <summary>A client that measures: its control connection, and the lanes it has opened.</summary>
internal sealed class PathSession(PathLines control, long bytesMax) : IDisposable
{
    private readonly Dictionary<int, HeldLane> _lanes = [];
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _end = new();
    private long _bytes;

    public int Lanes
    {
        get
        {
            lock (_lock) return _lanes.Count;
        }
    }

    /// <summary>Lanes that there ever were.</summary>
    public int Opened { get; private set; }

    /// <summary>Serves the control connection until it ends, and its lanes with it.</summary>
    /// <returns>Why, where it is not the client's doing.</returns>
    public async Task<string> RunAsync(TimeSpan maxTime, CancellationToken stop)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(stop, _end.Token);
        time.CancelAfter(maxTime);
        try
        {
            while (await control.ReadAsync(time.Token).ConfigureAwait(false) is { } words)
            {
                if (!IsWithinBytes(words)) return "it sent more than --max-bytes allows";
                await ObeyAsync(words, time.Token).ConfigureAwait(false);
            }

            return "";
        }
        catch (OperationCanceledException)
        {
            return stop.IsCancellationRequested ? "stopped" : _end.IsCancellationRequested ? "it sent more than --max-bytes allows" : "it stayed longer than --max-time allows";
        }
        catch (SocketException e)
        {
            return $"its connection failed: {e.SocketErrorCode}";
        }
        finally
        {
            HeldLane[] left;
            lock (_lock) left = [.. _lanes.Values];
            foreach (HeldLane lane in left) lane.Drop();
        }
    }

    /// <summary>Holds one lane until it ends.</summary>
    public async Task HoldAsync(PathLines lines, LaneRequest request)
    {
        var lane = new HeldLane(lines, request);
        lock (_lock)
        {
            if (_end.IsCancellationRequested || !_lanes.TryAdd(request.Lane, lane)) return;
            Opened++;
        }

        try
        {
            string? how = await lane.RunAsync(IsWithinBytes, _end.Token).ConfigureAwait(false);
            if (how is not null) await control.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"GONE {request.Lane} {how} {(long)lane.Silence.TotalMilliseconds}"), _end.Token).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock) _lanes.Remove(request.Lane);
        }
    }

    public void Dispose()
    {
        _end.Cancel();
        _end.Dispose();
    }

    private async Task ObeyAsync(string[] words, CancellationToken stop)
    {
        switch (words)
        {
            case ["PING", { Length: <= 20 } number]:
                await control.WriteAsync($"PONG {number}", stop).ConfigureAwait(false);
                break;
            case [var order, var word] when int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int number):
                HeldLane? lane;
                lock (_lock) _lanes.TryGetValue(number, out lane);
                if (lane is null) break;
                if (order == "SPEAK") lane.Speak();
                else if (order == "DROP") lane.Drop();
                else if (order == "STATE") await control.WriteAsync($"STATE {word} {lane.State}", stop).ConfigureAwait(false);
                else throw new PathProtocolException($"no such order: {order}");
                break;
            default:
                throw new PathProtocolException("a line came that the path protocol does not have");
        }
    }

    private bool IsWithinBytes(string[] words)
    {
        if (Interlocked.Add(ref _bytes, words.Sum(w => w.Length + 1)) <= bytesMax) return true;
        lock (_lock) if (!_end.IsCancellationRequested) _end.Cancel();
        return false;
    }
}
