using System.Globalization;

namespace KeepAlive.App.Connections;

/// <summary>A listing that is shown again and again: in place on a terminal, one below the other elsewhere.</summary>
internal static class Screen
{
    // ECMA-48: cursor to the first line, erase to the end of the line, erase to the end of the screen.
    private const string Home = "\x1b[H";
    private const string EraseLine = "\x1b[K";
    private const string EraseRest = "\x1b[J";

    public static void Show(TextWriter output, Action<TextWriter> write, IReadOnlyList<string> foot)
    {
        var text = new StringWriter(CultureInfo.InvariantCulture);
        write(text);
        string[] lines = text.ToString().TrimEnd('\n').Split('\n');
        if (Console.IsOutputRedirected || Console.WindowHeight <= 0)
        {
            foreach (string line in (IEnumerable<string>)[.. lines, .. foot, ""]) output.WriteLine(line);
            return;
        }

        // The last line stays empty: a newline there would scroll.
        int most = Math.Max(1, Console.WindowHeight - foot.Count - 2), width = Math.Max(1, Console.WindowWidth);
        string[] more = lines.Length > most ? [string.Create(CultureInfo.InvariantCulture, $"... and {lines.Length - most} more: choose by --pid, --port, --remote, --state, or --sort")] : [];
        output.Write(Home);
        foreach (string line in (IEnumerable<string>)[.. lines.Take(most), .. more, .. foot])
            output.Write($"{line[..Math.Min(line.Length, width)]}{EraseLine}\n");
        output.Write(EraseRest);
    }
}
