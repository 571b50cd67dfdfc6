using System.ComponentModel;
using System.Diagnostics;

namespace KeepAlive.App.Machine;

/// <summary>A program of the system, by its absolute path and with its arguments as they are: no shell, no search.</summary>
internal static class OutsideProgram
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(10);

    /// <summary>What it printed on stdout, and how it ended.</summary>
    /// <exception cref="MachineException">It could not be started, or took longer than 10 s.</exception>
    public static (int ExitCode, string Output, string Error) Run(string path, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        try
        {
            using Process process = Process.Start(start) ?? throw new MachineException($"{path}: it was not started");
            Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
            if (process.WaitForExit(TimeMax)) return (process.ExitCode, output.Result, error.Result.Trim());
            process.Kill();
            throw new MachineException($"{path} {string.Join(' ', arguments)}: no end within {TimeMax.TotalSeconds:0} s");
        }
        catch (Win32Exception e)
        {
            throw new MachineException($"{path}: {e.Message}");
        }
    }
}
