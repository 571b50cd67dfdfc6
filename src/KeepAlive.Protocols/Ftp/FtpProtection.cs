namespace KeepAlive.Protocols.Ftp;

/// <summary>Which legs of an FTP session are inside TLS by the gateway's doing, data connections included.</summary>
[Flags]
internal enum FtpProtectedLegs
{
    /// <summary>Neither: whatever the two agree on is their own.</summary>
    None = 0,

    /// <summary>The client's: it speaks FTPS to us.</summary>
    Downstream = 1,

    /// <summary>The server's: we speak FTPS to it.</summary>
    Upstream = 2,
}

/// <summary>
/// The client's commands about protection (RFC 2228, RFC 4217) where that is the gateway's business: none reaches the server, which
/// could take one for a wish to go on in plain text.
/// </summary>
internal static class FtpProtection
{
    /// <summary>What the gateway answers; null where the command is the server's to answer.</summary>
    public static byte[]? AnswerTo(FtpCommand command, FtpProtectedLegs legs) => legs == FtpProtectedLegs.None ? null : command.Verb switch
    {
        FtpVerb.Pbsz when legs.HasFlag(FtpProtectedLegs.Downstream) => "200 PBSZ=0\r\n"u8.ToArray(),
        FtpVerb.Prot when legs.HasFlag(FtpProtectedLegs.Downstream) && command.Argument is [(byte)'P' or (byte)'p'] => "200 Data connections are private.\r\n"u8.ToArray(),
        FtpVerb.Auth or FtpVerb.Pbsz or FtpVerb.Prot or FtpVerb.Ccc => "534 Protection is the gateway's business: go on as you are.\r\n"u8.ToArray(),
        _ => null,
    };
}
