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
