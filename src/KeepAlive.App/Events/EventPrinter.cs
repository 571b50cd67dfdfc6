using System.Text;
using KeepAlive.Core;

namespace KeepAlive.App.Events;

/// <summary>
/// Flow events on stdout as they happen, one a line: for people, or as JSON. Written by a thread of its own, as whoever
/// reads may stall and flows must not: past <see cref="WaitingMax"/> events they are dropped and counted.
/// </summary>
internal sealed class EventPrinter : IDisposable
{
    private const int WaitingMax = 100_000;

    // Nobody reads faster, and thousands of events a second are written in tens of calls.
    private const int PauseMs = 50;

    /// <summary>So much is written at a time.</summary>
    public const int WriteChars = 16 * 1024;

    private readonly TextWriter _output;
    private readonly bool _json;
    private readonly object _lock = new(); // a monitor: the writer waits on it
    private readonly Thread _writer;
    private List<object> _waiting = []; // events, and lines
    private bool _isWriterWaiting;
    private bool _isOver;
    private long _dropped;

    public EventPrinter(TextWriter output, bool json)
    {
        (_output, _json) = (output, json);
        _writer = new Thread(WriteAll) { IsBackground = true, Name = "events" };
        _writer.Start();
    }

    public void Print(ToldEvent e) => Write(e);

    public void Print(FlowEvent e) => Write(new FlowTold(e, null));

    /// <summary>Writes what still waits, for a second at most.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isOver = true;
            Monitor.Pulse(_lock);
        }

        _writer.Join(TimeSpan.FromSeconds(1));
    }

    /// <summary>The other end of a path is ready.</summary>
    public void PrintReflecting(string listen, string who) => Write(_json
        ? EventText.JsonLine(writer =>
        {
            writer.WriteString("event", "listening");
            writer.WriteString("listen", listen);
            writer.WriteString("access", who);
        })
        : $"listening on {listen}; {who}");

    /// <summary>The other end of a path is ready, in SSH.</summary>
    public void PrintReflecting(string listen, string fingerprint, string alive) => Write(_json
        ? EventText.JsonLine(writer =>
        {
            writer.WriteString("event", "listening");
            writer.WriteString("listen", listen);
            writer.WriteString("fingerprint", fingerprint);
            writer.WriteString("alive", alive);
        })
        : $"listening on {listen} (ssh); host key {fingerprint}; keepalive {alive}");

    private void Write(object what)
    {
        lock (_lock)
        {
            if (_waiting.Count >= WaitingMax) _dropped++;
            else _waiting.Add(what);
            if (_isWriterWaiting) Monitor.Pulse(_lock);
            _isWriterWaiting = false;
        }
    }

    private void WriteAll()
    {
        List<object> batch = [];
        var text = new StringBuilder();
        while (Take(ref batch, out long dropped))
        {
            try
            {
                foreach (object what in batch)
                {
                    text.Append(Line(what)).Append('\n');
                    if (text.Length >= WriteChars || what == batch[^1]) Flush(text);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Nobody reads any more, stdout was never open (EBADF), or the disk is full for now; the flows matter more than their story.
                dropped += batch.Count;
            }

            text.Clear();
            batch.Clear();
            if (dropped > 0) CommandLine.Complain($"keepalive gateway: {dropped} event(s) were dropped: whoever reads them is too slow, or their disk was full");
            Pause();
        }
    }

    private string Line(object what) => what is ToldEvent e ? _json ? EventText.Json(e) : EventText.Line(e) : (string)what;

    private void Flush(StringBuilder text)
    {
        _output.Write(text);
        _output.Flush();
        text.Clear();
    }

    private void Pause()
    {
        lock (_lock)
        {
            if (!_isOver) Monitor.Wait(_lock, PauseMs);
        }
    }

    // False when all is written and no more will come.
    private bool Take(ref List<object> batch, out long dropped)
    {
        lock (_lock)
        {
            if (_waiting.Count == 0 && !_isOver)
            {
                _isWriterWaiting = true;
                Monitor.Wait(_lock);
            }

            (batch, _waiting) = (_waiting, batch);
            (dropped, _dropped) = (_dropped, 0);
            return batch.Count > 0 || !_isOver;
        }
    }
}
