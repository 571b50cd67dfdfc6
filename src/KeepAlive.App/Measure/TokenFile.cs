using System.Text;

namespace KeepAlive.App.Measure;

/// <summary>The secret that a reflector and who measures share: a file's text, or KEEPALIVE_TOKEN. Never a word of the command line, which everybody can read.</summary>
internal static class TokenFile
{
    private const int BytesMax = 4096;

    /// <summary>The secret; empty where there is none.</summary>
    public static bool TryRead(string? path, out byte[] token, out string? fault)
    {
        (token, fault) = ([], null);
        string? text = Environment.GetEnvironmentVariable("KEEPALIVE_TOKEN");
        if (path is not null)
        {
            try
            {
                if (new FileInfo(path).Length > BytesMax) fault = $"--token: '{path}' is longer than {BytesMax} bytes: give a file with one line";
                else text = File.ReadAllText(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                fault = $"--token: cannot read '{path}': {e.Message}";
            }
        }

        token = Encoding.UTF8.GetBytes((text ?? "").Trim());
        if (fault is null && path is not null && token.Length == 0) fault = $"--token: '{path}' is empty: write a secret into it, such as 'openssl rand -hex 16' prints";
        return fault is null;
    }
}
