using System.Diagnostics;

namespace KeepAlive.SystemTests.Lab;

/// <summary>
/// A program run by a test. Its lines are kept as they come and can be awaited; it dies with the test process, even
/// when that one is killed, and with <see cref="DisposeAsync"/>.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly List<Waiter> _waiters = [];
    private readonly Lock _gate = new();
    private int _openStreams = 2;

    private sealed record Waiter(Func<string, bool> Matches, TaskCompletionSource<string> Line);

    private ChildProcess(Process process, string name)
    {
        _process = process;
        Name = name;
    }

    public string Name { get; }

    public int Id => _process.Id;

    public int ExitCode => _process.ExitCode;

    public bool IsRunning => !_process.HasExited;

    /// <summary>What it printed so far, standard output and error in the order of arrival.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate) return [.. _lines];
        }
    }

    public string Transcript => string.Join('\n', Lines);

    /// <summary>Starts <paramref name="command"/>: the program and its arguments, each taken literally.</summary>
    public static async Task<ChildProcess> StartAsync(
        IReadOnlyList<string> command, string? folder = null, IReadOnlyDictionary<string, string>? environment = null, string? input = null)
    {
        ProcessStartInfo start = new("setpriv")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "/",
        };
        foreach (string word in (string[])["--pdeathsig", "KILL", "--", .. command]) start.ArgumentList.Add(word);
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // else a program of .NET that is killed leaves its pipes in /tmp
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;

        ChildProcess child = new(new Process { StartInfo = start }, string.Join(' ', command));
        child._process.OutputDataReceived += (_, line) => child.OnLine(line.Data);
        child._process.ErrorDataReceived += (_, line) => child.OnLine(line.Data);
        await Spawner.StartAsync(child._process);
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        if (input is not null) await child._process.StandardInput.WriteAsync(input);
        child._process.StandardInput.Close();
        return child;
    }

    /// <summary>Runs to its end and demands exit code 0.</summary>
    public static async Task<string> RunAsync(IReadOnlyList<string> command, string? input = null, CancellationToken cancel = default)
    {
        await using ChildProcess child = await StartAsync(command, input: input);
        await child.WaitForExitAsync(TimeSpan.FromSeconds(30), cancel);
        if (child.ExitCode != 0)
            throw new InvalidOperationException($"'{child.Name}' ended with {child.ExitCode}: {child.Transcript}");
        return child.Transcript;
    }

    /// <summary>The first line, past or to come, that <paramref name="matches"/>.</summary>
    public async Task<string> WaitForLineAsync(Func<string, bool> matches, TimeSpan within, CancellationToken cancel = default)
    {
        Waiter waiter = new(matches, new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_gate)
        {
            if (_lines.Find(line => matches(line)) is { } known) return known;
            _waiters.Add(waiter);
            if (_openStreams == 0) FailWaiters();
        }
        try
        {
            return await waiter.Line.Task.WaitAsync(within, cancel);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"'{Name}' did not print the awaited line within {within.TotalSeconds:0.#} s:\n{Transcript}");
        }
    }

    public async Task WaitForExitAsync(TimeSpan within, CancellationToken cancel = default)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(within);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new TimeoutException($"'{Name}' did not end within {within.TotalSeconds:0.#} s:\n{Transcript}");
        }
    }

    /// <summary>Sends a signal by name, as kill(1) does: <c>TERM</c>, <c>INT</c>.</summary>
    public Task SignalAsync(string signal) => RunAsync(["kill", $"-{signal}", Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_process.HasExited) _process.Kill();
            // Not WaitForExitAsync: that one also waits for the pipes, which a grandchild may hold open.
            _process.WaitForExit(TimeSpan.FromSeconds(5));
        }
        catch (InvalidOperationException)
        {
            // Never started.
        }
        _process.Dispose();
        await Task.CompletedTask;
    }

    private void OnLine(string? line)
    {
        lock (_gate)
        {
            if (line is null)
            {
                if (--_openStreams == 0) FailWaiters();
                return;
            }
            _lines.Add(line);
            for (int i = _waiters.Count - 1; i >= 0; i--)
            {
                if (!_waiters[i].Matches(line)) continue;
                _waiters[i].Line.TrySetResult(line);
                _waiters.RemoveAt(i);
            }
        }
    }

    private void FailWaiters()
    {
        foreach (Waiter waiter in _waiters)
            waiter.Line.TrySetException(new InvalidOperationException($"'{Name}' ended before it printed the awaited line:\n{string.Join('\n', _lines)}"));
        _waiters.Clear();
    }
}
