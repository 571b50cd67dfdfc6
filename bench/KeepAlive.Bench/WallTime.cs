using System.Diagnostics;
using System.Globalization;

namespace KeepAlive.Bench;

/// <summary>Wall times of one command or call over several rounds, in milliseconds.</summary>
internal sealed class WallTime
{
    private readonly List<double> _rounds = [];

    public double Median => _rounds.Order().ElementAt(_rounds.Count / 2);

    /// <summary>Times each command once a round, one after another, so that a slow moment meets all of them; the first round is not counted.</summary>
    public static WallTime[] Of(int rounds, params string[][] commands)
    {
        WallTime[] times = [.. commands.Select(_ => new WallTime())];
        for (int round = 0; round <= rounds; round++)
        {
            for (int i = 0; i < commands.Length; i++) times[i].Add(() => Run(commands[i]), counts: round > 0);
        }

        return times;
    }

    /// <summary>Times a call, the first not counted.</summary>
    public static WallTime Of(int rounds, Action call)
    {
        var time = new WallTime();
        for (int round = 0; round <= rounds; round++) time.Add(call, counts: round > 0);
        return time;
    }

    /// <summary>What a command printed.</summary>
    public static string Output(params string[] command)
    {
        using Process process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode}: {error.Result}");
    }

    /// <summary><c>median (minimum to maximum)</c></summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Median:0.0} ms ({_rounds.Min():0.0} to {_rounds.Max():0.0})");

    // By a shell, so that what is printed goes nowhere at no cost of ours; it is in the time of each.
    private static void Run(string[] command) => Output(["sh", "-c", "exec \"$@\" >/dev/null 2>&1", "sh", .. command]);

    private void Add(Action call, bool counts)
    {
        long begun = Stopwatch.GetTimestamp();
        call();
        if (counts) _rounds.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
    }
}
