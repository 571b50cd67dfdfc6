using System.Globalization;
using System.Text;
using System.Threading.Channels;

namespace KeepAlive.App.Events;

/// <summary>Events in a file, an object a line, with a bound on what it and the earlier ones take.</summary>
internal sealed class FileSink(FileTarget target) : EventSink(target)
{
    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(5);

    private FileStream? _file;

    protected override async Task WriteAllAsync(ChannelReader<ToldEvent> events, CancellationToken end)
    {
        bool isFailing = false;
        var text = new StringBuilder();
        try
        {
            while (text.Length > 0 || await events.WaitToReadAsync(end).ConfigureAwait(false))
            {
                while (text.Length < EventPrinter.WriteChars && events.TryRead(out ToldEvent? e)) text.Append(EventText.Json(e)).Append('\n');
                if (TakeDropped() is > 0 and var dropped) text.Append(EventText.Json(new FactTold("dropped", null, string.Create(CultureInfo.InvariantCulture, $"{dropped} event(s): the file was too slow, or could not be written")))).Append('\n');
                try
                {
                    Write(Encoding.UTF8.GetBytes(text.ToString()));
                    text.Clear();
                    isFailing = false;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    Close();
                    if (!isFailing) Fail($"events are not kept in {target.Path}: {e.Message}; tried again each {RetryEvery.TotalSeconds:0}s");
                    isFailing = true;
                    await Task.Delay(RetryEvery, end).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            Close();
        }
    }

    // Opened by its name each time that it has gone, so that others may move it away (logrotate).
    private void Write(byte[] bytes)
    {
        if (_file is not null && !File.Exists(target.Path)) Close();
        _file ??= Open();
        if (_file.Length > 0 && _file.Length + bytes.Length > target.BytesMax) Rotate();
        _file.Write(bytes);
        _file.Flush();
    }

    private FileStream Open()
    {
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        return new FileStream(target.Path, options);
    }

    private void Rotate()
    {
        Close();
        for (int n = target.Keep; n > 0; n--)
        {
            string younger = n == 1 ? target.Path : Numbered(n - 1);
            if (File.Exists(younger)) File.Move(younger, Numbered(n), overwrite: true);
        }

        if (target.Keep == 0) File.Delete(target.Path);
        _file = Open();
    }

    private string Numbered(int n) => string.Create(CultureInfo.InvariantCulture, $"{target.Path}.{n}");

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }
}
