using System.Text;

namespace KeepAlive.App.Events;

/// <summary>Where the daemon's events go that somebody is to read.</summary>
internal enum LogKind
{
    /// <summary>The journal, if standard output is it, otherwise text.</summary>
    Auto,

    /// <summary>Lines for people, on standard output.</summary>
    Text,

    /// <summary>JSON, one object a line, on standard output.</summary>
    Json,

    /// <summary>journald's socket, field by field.</summary>
    Journal,
}

/// <summary>The one of them that is in use.</summary>
internal sealed class EventLog : IDisposable
{
    private readonly EventPrinter? _printer;
    private readonly JournalWriter? _journal;

    public EventLog(LogKind kind)
    {
        if (kind == LogKind.Journal || (kind == LogKind.Auto && JournalWriter.IsStdout))
        {
            _journal = new JournalWriter();
            return;
        }

        // Never disposed: whoever reads it may have stalled, and the program is to end all the same.
        var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), EventPrinter.WriteChars);
        _printer = new EventPrinter(output, kind == LogKind.Json);
    }

    public void Print(ToldEvent e)
    {
        _journal?.Print(e);
        _printer?.Print(e);
    }

    public void Dispose()
    {
        _journal?.Dispose();
        _printer?.Dispose();
    }
}
