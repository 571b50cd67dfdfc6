using System.Text;

namespace KeepAlive.Protocols.Ssh;

/// <summary>Texts that the peer chose, made fit for a log.</summary>
internal static class SshText
{
    private const int CharsMax = 200;

    public static string Printable(string text)
    {
        var printable = new StringBuilder();
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, CharsMax))) printable.Append(char.IsControl(c) ? '?' : c);
        return printable.ToString();
    }
}
