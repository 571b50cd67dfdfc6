using System.Text;

namespace KeepAlive.App.Simulate;

/// <summary>A file that somebody may be looking at: replaced whole, or left as it was.</summary>
internal static class WholeFile
{
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Write(string path, string text)
    {
        string whole = Path.GetFullPath(path);
        // What is no file is written to, not replaced: /dev/stdout.
        if (whole.StartsWith("/dev/", StringComparison.Ordinal) || whole.StartsWith("/proc/", StringComparison.Ordinal))
        {
            using var stream = new FileStream(whole, FileMode.Open, FileAccess.Write);
            stream.Write(Encoding.UTF8.GetBytes(text));
            return;
        }

        // Of a link, its target.
        if (File.Exists(whole)) whole = File.ResolveLinkTarget(whole, returnFinalTarget: true)?.FullName ?? whole;
        string fresh = Path.Combine(Path.GetDirectoryName(whole) ?? "/", $".{Path.GetFileName(whole)}.{Environment.ProcessId}.new");
        try
        {
            File.WriteAllText(fresh, text, new UTF8Encoding(false));
            File.Move(fresh, whole, overwrite: true);
        }
        catch
        {
            File.Delete(fresh);
            throw;
        }
    }
}
