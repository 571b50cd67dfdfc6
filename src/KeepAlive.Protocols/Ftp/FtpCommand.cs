namespace KeepAlive.Protocols.Ftp;

/// <summary>What a command means to the keepalive; all others are <see cref="Other"/>.</summary>
internal enum FtpVerb : byte
{
    Other,

    /// <summary>Not a command: the server's greeting, awaited from the start.</summary>
    Greeting,
    Login,
    Rein,
    Quit,
    Auth,
    Pbsz,
    Prot,
    Ccc,
    Type,
    Rest,
    Pasv,
    Epsv,
    Port,
    Eprt,

    /// <summary>A transfer from the server: a file or a listing.</summary>
    Fetch,

    /// <summary>A transfer to the server.</summary>
    Store,
    Abor,
    Noop,
    Pwd,
    Stat,
    Cwd,
}

/// <summary>
/// A command line as it came, read for its verb and argument; Telnet commands in it (RFC 854, as RFC 959 4.1.3
/// puts them before ABOR) are skipped for reading only.
/// </summary>
internal readonly ref struct FtpCommand
{
    private const byte Iac = 0xFF;
    private const byte DataMark = 0xF2;
    private const byte Will = 0xFB;
    private const byte Dont = 0xFE;

    private FtpCommand(FtpVerb verb, ReadOnlySpan<byte> name, ReadOnlySpan<byte> argument, int urgentUpTo)
    {
        Verb = verb;
        Name = name;
        Argument = argument;
        UrgentUpTo = urgentUpTo;
    }

    public FtpVerb Verb { get; }

    /// <summary>The verb as written; empty for a blank line.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>What follows the verb and one space, without spaces at the end and the line end.</summary>
    public ReadOnlySpan<byte> Argument { get; }

    /// <summary>
    /// Bytes up to and with the Telnet data mark before the verb: the end of a Synch, sent as TCP urgent data. The
    /// same two bytes in an argument are part of a name.
    /// </summary>
    public int UrgentUpTo { get; }

    public static FtpCommand Read(ReadOnlySpan<byte> line)
    {
        int urgent = 0;
        ReadOnlySpan<byte> rest = line;
        while (rest is [Iac, _, ..])
        {
            // WILL, WONT, DO and DONT name an option in a third byte.
            byte telnet = rest[1];
            rest = rest is [_, >= Will and <= Dont, _, ..] ? rest[3..] : rest[2..];
            if (telnet == DataMark) urgent = line.Length - rest.Length;
        }

        rest = rest.Trim("\r\n "u8);
        int space = rest.IndexOf((byte)' ');
        ReadOnlySpan<byte> name = space < 0 ? rest : rest[..space];
        ReadOnlySpan<byte> argument = space < 0 ? [] : rest[(space + 1)..];
        return new FtpCommand(VerbOf(name), name, argument, urgent);
    }

    private static FtpVerb VerbOf(ReadOnlySpan<byte> name)
    {
        if (name.Length is < 3 or > 4) return FtpVerb.Other;
        Span<char> upper = stackalloc char[name.Length];
        for (int i = 0; i < name.Length; i++) upper[i] = char.ToUpperInvariant((char)name[i]);
        return upper switch
        {
            "USER" or "PASS" or "ACCT" => FtpVerb.Login,
            "RETR" or "LIST" or "NLST" or "MLSD" => FtpVerb.Fetch,
            "STOR" or "STOU" or "APPE" => FtpVerb.Store,
            "TYPE" => FtpVerb.Type,
            "REST" => FtpVerb.Rest,
            "PASV" => FtpVerb.Pasv,
            "EPSV" => FtpVerb.Epsv,
            "PORT" => FtpVerb.Port,
            "EPRT" => FtpVerb.Eprt,
            "ABOR" => FtpVerb.Abor,
            "AUTH" => FtpVerb.Auth,
            "PBSZ" => FtpVerb.Pbsz,
            "PROT" => FtpVerb.Prot,
            "CCC" => FtpVerb.Ccc,
            "QUIT" => FtpVerb.Quit,
            "REIN" => FtpVerb.Rein,
            "NOOP" => FtpVerb.Noop,
            "PWD" or "XPWD" => FtpVerb.Pwd,
            "STAT" => FtpVerb.Stat,
            "CWD" or "XCWD" => FtpVerb.Cwd,
            _ => FtpVerb.Other,
        };
    }
}
