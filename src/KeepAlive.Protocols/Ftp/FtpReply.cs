namespace KeepAlive.Protocols.Ftp;

/// <summary>What <see cref="FtpReply.Read"/> found.</summary>
internal enum FtpReplyState
{
    /// <summary>The beginning of a reply.</summary>
    NeedMore,

    /// <summary>A whole reply.</summary>
    Whole,

    /// <summary>No reply of FTP.</summary>
    Malformed,
}

/// <summary>One reply of a server (RFC 959 section 4.2), for who speaks FTP itself.</summary>
internal static class FtpReply
{
    /// <summary>Reads the first reply. It never throws, whatever the bytes; how many are worth waiting for is the caller's to say.</summary>
    /// <param name="bytes">What came so far.</param>
    /// <param name="code">Its code; 0 unless it is whole.</param>
    /// <param name="length">How many bytes it has, all its lines; 0 unless it is whole.</param>
    public static FtpReplyState Read(ReadOnlySpan<byte> bytes, out int code, out int length)
    {
        (code, length) = (0, 0);
        int started = 0;
        var reader = new FtpReplyReader();
        ReadOnlySpan<byte> rest = bytes;
        while (true)
        {
            switch (reader.Read(ref rest, out _))
            {
                case FtpReplyStep.NeedMore: return FtpReplyState.NeedMore;
                case FtpReplyStep.Doubt: return FtpReplyState.Malformed;
                case FtpReplyStep.Start:
                    started = reader.Code;
                    break;
                case FtpReplyStep.End:
                    (code, length) = (started, bytes.Length - rest.Length);
                    return FtpReplyState.Whole;
            }
        }
    }
}
