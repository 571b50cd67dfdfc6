using System.Text;

namespace KeepAlive.App.Measure;

/// <summary>The secret that a reflector and who measures share: a file's text, or KEEPALIVE_TOKEN. Never a word of the command line, which everybody can read.</summary>
internal static class TokenFile
{
    private const int BytesMax = 4096;

    /// <summary>The secret; empty where there is none.</summary>
    public static bool TryRead(string? path, out byte[] token, out string? fault)
    {
        (string text, fault) = (Environment.GetEnvironmentVariable("KEEPALIVE_TOKEN") ?? "", null);
        bool isRead = path is null || TryRead(path, "--token", out text, out fault);
        token = Encoding.UTF8.GetBytes(text.Trim());
        return isRead;
    }

    /// <summary>The secret that a file holds.</summary>
    /// <param name="path">The file: one line.</param>
    /// <param name="option">What named it, for the fault.</param>
    /// <param name="secret">Without space around it.</param>
    /// <param name="fault">Why it has none.</param>
    public static bool TryRead(string path, string option, out string secret, out string? fault)
    {
        (secret, fault) = ("", null);
        try
        {
            if (new FileInfo(path).Length > BytesMax) fault = $"{option}: '{path}' is longer than {BytesMax} bytes: give a file with one line";
            else secret = File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            fault = $"{option}: cannot read '{path}': {e.Message}";
        }

        if (fault is null && secret.Length == 0) fault = $"{option}: '{path}' is empty: write a secret into it, such as 'openssl rand -hex 16' prints";
        return fault is null;
    }
}
