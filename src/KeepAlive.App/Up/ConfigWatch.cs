using System.Runtime.InteropServices;
using KeepAlive.App.Configuration;

namespace KeepAlive.App.Up;

/// <summary>Tells when the configuration is to be read again: its file was changed, or SIGHUP came.</summary>
internal sealed class ConfigWatch : IDisposable
{
    // Editors write in several steps.
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private readonly FileSystemWatcher? _files;
    private readonly PosixSignalRegistration? _signal;
    private TaskCompletionSource _asked = Fresh();
    private TaskCompletionSource _signalled = Fresh();

    public ConfigWatch(ConfigFile file)
    {
        if (!OperatingSystem.IsWindows())
        {
            _signal = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                Ask(ReloadReason.Signal);
            });
        }

        string folder = Path.GetDirectoryName(file.Path)!;
        if (!Directory.Exists(folder)) return;
        try
        {
            // Of everything in the folder: it may be a link to what a link points to, as in containers. Whether it has changed is seen by reading it.
            _files = new FileSystemWatcher(folder);
            _files.Changed += (_, _) => Ask(ReloadReason.File);
            _files.Created += (_, _) => Ask(ReloadReason.File);
            _files.Deleted += (_, _) => Ask(ReloadReason.File);
            _files.Renamed += (_, _) => Ask(ReloadReason.File);
            _files.EnableRaisingEvents = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            CommandLine.Complain($"keepalive up: changes of {file.Path} are not seen ({e.Message}): send SIGHUP");
            _files?.Dispose();
            _files = null;
        }
    }

    /// <summary>Done when it is to be read.</summary>
    public Task Asked
    {
        get
        {
            lock (_lock) return _asked.Task;
        }
    }

    /// <summary>Why it is to be read; from now on <see cref="Asked"/> is about the next time.</summary>
    public async Task<ReloadReason> TakeAsync()
    {
        await Asked.ConfigureAwait(false);
        Task signalled;
        lock (_lock) signalled = _signalled.Task;
        await Task.WhenAny(signalled, Task.Delay(Settling)).ConfigureAwait(false); // who sends a signal has written it all
        lock (_lock)
        {
            ReloadReason reason = _signalled.Task.IsCompleted ? ReloadReason.Signal : ReloadReason.File;
            (_asked, _signalled) = (Fresh(), Fresh());
            return reason;
        }
    }

    public void Dispose()
    {
        _files?.Dispose();
        _signal?.Dispose();
    }

    private void Ask(ReloadReason reason)
    {
        lock (_lock)
        {
            if (reason == ReloadReason.Signal) _signalled.TrySetResult();
            _asked.TrySetResult();
        }
    }

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>Why a configuration is read again.</summary>
internal enum ReloadReason
{
    /// <summary>Something in its folder was written: only another text is another configuration.</summary>
    File,

    /// <summary>Somebody asked: files that it names may be others.</summary>
    Signal,
}
