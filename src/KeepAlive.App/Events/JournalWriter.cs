using System.Collections.Concurrent;
using System.Net.Sockets;

namespace KeepAlive.App.Events;

/// <summary>Events to the journal, with their fields. Sent by a thread of its own, as journald may stall and flows must not: past <see cref="WaitingMax"/> they are dropped and counted.</summary>
internal sealed class JournalWriter : IDisposable
{
    /// <summary>Where journald listens.</summary>
    public const string Path = "/run/systemd/journal/socket";

    private const int WaitingMax = 100_000;

    private readonly BlockingCollection<ToldEvent> _waiting = new(WaitingMax);
    private readonly UnixDomainSocketEndPoint _journal;
    private readonly Thread _writer;
    private long _dropped;

    public JournalWriter()
        : this(Path)
    {
    }

    internal JournalWriter(string path)
    {
        _journal = new UnixDomainSocketEndPoint(path);
        _writer = new Thread(WriteAll) { IsBackground = true, Name = "journal" };
        _writer.Start();
    }

    /// <summary>Whether our standard output goes to the journal.</summary>
    public static bool IsStdout => OperatingSystem.IsLinux() && IsFor(Environment.GetEnvironmentVariable("JOURNAL_STREAM"), File.ResolveLinkTarget("/proc/self/fd/1", returnFinalTarget: false)?.Name);

    /// <summary>Whether what systemd says of the journal's stream, <c>device:inode</c> (systemd.exec(5)), is a descriptor's link, <c>socket:[inode]</c>.</summary>
    internal static bool IsFor(string? stream, string? link) => stream?.Split(':') is [_, { Length: > 0 } inode] && link == $"socket:[{inode}]";

    public void Print(ToldEvent e)
    {
        if (!_waiting.TryAdd(e)) Interlocked.Increment(ref _dropped);
    }

    /// <summary>Sends what still waits, for a second at most.</summary>
    public void Dispose()
    {
        _waiting.CompleteAdding();
        _writer.Join(TimeSpan.FromSeconds(1));
    }

    private void WriteAll()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        foreach (ToldEvent e in _waiting.GetConsumingEnumerable())
        {
            try
            {
                socket.SendTo(JournalEntry.Of(e), _journal);
            }
            catch (SocketException)
            {
                Interlocked.Increment(ref _dropped); // it is being restarted
                continue;
            }

            if (Interlocked.Exchange(ref _dropped, 0) is var dropped and > 0) CommandLine.Complain($"keepalive up: {dropped} event(s) were dropped: the journal was too slow, or not there");
        }
    }
}
