using System.Net.Sockets;
using KeepAlive.Linux.Handover;

namespace KeepAlive.App.Up;

/// <summary>Where a successor asks: a Unix socket of this user alone, which whoever takes over replaces.</summary>
internal sealed class ControlSocket : IDisposable
{
    private readonly Socket _listener;
    private readonly string _path;
    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource<HandoverChannel> _asked = Fresh();
    private bool _isLeft;

    private ControlSocket(Socket listener, string path)
    {
        (_listener, _path) = (listener, path);
        _ = AcceptAsync();
    }

    /// <summary>Done when somebody asks.</summary>
    public Task<HandoverChannel> Asked => _asked.Task;

    /// <exception cref="IOException">The place is not to be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor is it ours.</exception>
    /// <exception cref="SocketException">The socket cannot be had.</exception>
    public static ControlSocket Open(string path)
    {
        string fresh = $"{path}.{Environment.ProcessId}";
        File.Delete(fresh);
        var listener = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(fresh));
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(fresh, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen();
            File.Move(fresh, path, overwrite: true); // in the place of the one before, at once
            return new ControlSocket(listener, path);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>The process that listens at a path; null when nobody does.</summary>
    public static HandoverChannel? Dial(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new HandoverChannel(socket);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>The next to ask can be heard: the last has been seen to.</summary>
    public void Done()
    {
        _asked.Task.Result.Dispose();
        _asked = Fresh();
        _ = AcceptAsync();
    }

    /// <summary>The path is another process's from now on.</summary>
    public void Leave() => _isLeft = true;

    public void Dispose()
    {
        _stopping.Cancel();
        _listener.Dispose();
        try
        {
            if (!_isLeft) File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then nobody answers there, which the next takes for what it is.
        }
    }

    // One at a time: others wait in the queue.
    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var channel = new HandoverChannel(await _listener.AcceptAsync(_stopping.Token).ConfigureAwait(false));
                if (channel.IsPeerTrusted)
                {
                    _asked.TrySetResult(channel);
                    return;
                }

                channel.Dispose();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                if (_stopping.IsCancellationRequested) return;
                await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None).ConfigureAwait(false); // out of descriptors, it may be
            }
        }
    }

    private static TaskCompletionSource<HandoverChannel> Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
