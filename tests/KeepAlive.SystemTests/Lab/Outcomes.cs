namespace KeepAlive.SystemTests.Lab;

/// <summary>What becomes of programs that are tried side by side: a name, what it came to, and what was expected.</summary>
internal static class Outcomes
{
    /// <summary>Waits for all, and names each that came to something else.</summary>
    /// <param name="transcript">What helps to see why.</param>
    /// <param name="rows">All run already.</param>
    public static async Task AssertAsync(Func<string> transcript, params (string Name, Task<string> Outcome, string Expected)[] rows)
    {
        await Task.WhenAll(rows.Select(r => r.Outcome));
        string[] wrong = [.. rows.Where(r => r.Outcome.Result != r.Expected).Select(r => $"{r.Name}: {r.Outcome.Result}, not {r.Expected}")];
        Assert.True(wrong.Length == 0, $"{string.Join('\n', wrong)}\n{transcript()}");
    }
}
