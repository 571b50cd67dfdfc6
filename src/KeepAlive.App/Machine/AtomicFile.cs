using System.Text;

namespace KeepAlive.App.Machine;

/// <summary>
/// A file, whole or not at all: a fresh one beside it, on the disk before it takes the name. Bytes that are no text of ours
/// come back as they were.
/// </summary>
internal static class AtomicFile
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>The text; empty where there is no such file.</summary>
    public static string Read(string path)
    {
        try
        {
            return File.Exists(path) ? Encoding.Latin1.GetString(File.ReadAllBytes(path)) : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw MachineException.Of($"reading {path}", e);
        }
    }

    /// <summary>Replaces it, mode 0644; deletes it where the text is empty.</summary>
    public static void Write(string path, string text)
    {
        // Not named *.conf, so that a machine that stops in between does not read it at its next start.
        string fresh = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.new");
        try
        {
            if (text.Length == 0)
            {
                File.Delete(path);
                return;
            }

            File.Delete(fresh);
            using (var stream = new FileStream(fresh, FileMode.CreateNew, FileAccess.Write))
            {
                if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(stream.SafeFileHandle, Mode); // whatever the umask
                stream.Write(Encoding.Latin1.GetBytes(text));
                stream.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(fresh);
            throw MachineException.Of($"writing {path}", e);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What kept us from writing keeps us from deleting.
        }
    }
}
