namespace KeepAlive.Protocols.Mail;

/// <summary>The three digits that begin a reply of SMTP's (RFC 5321 section 4.2) and NNTP's (RFC 3977 section 3.2).</summary>
internal static class ReplyCode
{
    /// <summary>It, or 0 for a line that is no reply.</summary>
    /// <param name="line">A line.</param>
    /// <param name="isMore">More lines of the same reply follow.</param>
    public static int Read(ReadOnlySpan<byte> line, out bool isMore)
    {
        isMore = line is [_, _, _, (byte)'-', ..];
        if (line.Length < 3 || line[0] is < (byte)'1' or > (byte)'5' || line[..3].ContainsAnyExceptInRange((byte)'0', (byte)'9') || (line.Length > 3 && line[3] != ' ' && !isMore)) return 0;
        return ((line[0] - '0') * 100) + ((line[1] - '0') * 10) + line[2] - '0';
    }
}
