namespace KeepAlive.Gateway.Tls;

/// <summary>
/// A server's name in upper and lower case, other for each flow. The base class library resumes the last session with a server of
/// this spelling; DNS names are the same in any (RFC 4343, RFC 6066 section 3). So a flow's data connections resume the session of
/// its own control connection, which FTP servers ask for, and not that of a flow beside it.
/// </summary>
/// <remarks>Measured with ProFTPD 1.3.8, TLS 1.3, two sessions side by side: of one spelling, every transfer ends with 425; of two, none.</remarks>
internal static class TlsSpelling
{
    /// <summary>The name as this flow writes it: flow 0 all as given, each letter turned for a bit of the number.</summary>
    public static string Of(string name, long flow) => string.Create(name.Length, (name, flow), static (spelled, from) =>
    {
        long bits = from.flow;
        for (int i = spelled.Length - 1; i >= 0; i--)
        {
            char letter = from.name[i];
            spelled[i] = char.IsAsciiLetter(letter) && (bits & 1) == 1 ? (char)(letter ^ 0x20) : letter;
            if (char.IsAsciiLetter(letter)) bits >>= 1;
        }
    });
}
