using System.Diagnostics;
using System.Globalization;

namespace KeepAlive.Bench;

/// <summary>A process of ours, ended with us.</summary>
internal sealed class Peer : IDisposable
{
    private readonly Process _process;

    private Peer(Process process) => _process = process;

    public int Pid => _process.Id;

    public static Peer Start(string file, params string[] args) => new(Process.Start(
        new ProcessStartInfo(file, args) { RedirectStandardInput = true, RedirectStandardOutput = true })!);

    public async Task<string> LineAsync() => await _process.StandardOutput.ReadLineAsync().ConfigureAwait(false) ?? throw new IOException($"{_process.StartInfo.FileName} ended");

    /// <summary>Reads and drops all it prints.</summary>
    public void Drain()
    {
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
    }

    public async Task<int> AskAsync()
    {
        await _process.StandardInput.WriteLineAsync().ConfigureAwait(false);
        await _process.StandardInput.FlushAsync().ConfigureAwait(false);
        return int.Parse(await LineAsync().ConfigureAwait(false), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true); // nginx's workers would go on, and hold our pipe
        _process.WaitForExit();
        _process.Dispose();
    }
}
