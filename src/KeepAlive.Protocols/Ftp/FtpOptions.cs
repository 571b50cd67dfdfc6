using System.Diagnostics.CodeAnalysis;

namespace KeepAlive.Protocols.Ftp;

/// <summary>A command that serves as keepalive on an idle session (the list of ProFTPD's howto on keepalives).</summary>
internal enum FtpKeepAliveCommand
{
    /// <summary>NOOP: made for it, and filtered by some firewalls for that reason.</summary>
    Noop,

    /// <summary>PWD.</summary>
    Pwd,

    /// <summary>TYPE with the type in force, so nothing changes.</summary>
    Type,

    /// <summary>STAT without argument: a status of many lines.</summary>
    Stat,

    /// <summary>REST 0.</summary>
    Rest,

    /// <summary>CWD to the current directory. Only to hold a session against the server's timers.</summary>
    Cwd,

    /// <summary>A real listing (NLST) over a data connection of ours: resets no-transfer timers. Only to hold.</summary>
    List,
}

/// <summary>How FTP sessions are kept alive.</summary>
internal sealed record FtpOptions
{
    /// <summary>Idle time after which an unheld session's own idle policy rules again: the least default among servers (vsftpd's idle_session_timeout).</summary>
    public static readonly TimeSpan IdleAgeDefault = TimeSpan.FromMinutes(5);

    /// <summary>NOOP, PWD, TYPE, STAT, REST 0.</summary>
    public static IReadOnlyList<FtpKeepAliveCommand> CommandsDefault { get; } =
        [FtpKeepAliveCommand.Noop, FtpKeepAliveCommand.Pwd, FtpKeepAliveCommand.Type, FtpKeepAliveCommand.Stat, FtpKeepAliveCommand.Rest];

    /// <summary>
    /// What to send on an idle session. In fixed order the first is used until an answer stays away, then the next.
    /// While a transfer runs it is always NOOP.
    /// </summary>
    public IReadOnlyList<FtpKeepAliveCommand> Commands { get; init; } = CommandsDefault;

    /// <summary>Pick at random, so that middleboxes cannot special-case one command.</summary>
    public bool RandomOrder { get; init; }

    /// <summary>How long after the client's last command an idle session is kept alive. More than the default overrides the server's policy.</summary>
    public TimeSpan IdleAgeMax { get; init; } = IdleAgeDefault;

    /// <summary>The two ends reach each other's addresses without us, and for data they do: none is rewritten, and no data connection is seen.</summary>
    public bool IsDataDirect { get; init; }

    /// <summary>Which legs are inside TLS by the gateway's doing.</summary>
    public FtpProtectedLegs Protected { get; init; }

    /// <summary>Reads <c>noop,pwd,type</c> or <c>random:noop,pwd</c>.</summary>
    public static bool TryParseCommands(string text, out (IReadOnlyList<FtpKeepAliveCommand> Commands, bool Random) value, [NotNullWhen(false)] out string? fault)
    {
        const string Prefix = "random:";
        bool random = text.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);
        var commands = new List<FtpKeepAliveCommand>();
        fault = null;
        foreach (string name in (random ? text[Prefix.Length..] : text).Split(',', StringSplitOptions.TrimEntries))
        {
            if (name.Length > 0 && char.IsAsciiLetter(name[0]) && Enum.TryParse(name, ignoreCase: true, out FtpKeepAliveCommand command)) commands.Add(command);
            else fault ??= $"'{name}' is not a keepalive command: give some of noop, pwd, type, stat, rest, cwd, list, separated by commas";
        }

        value = (commands, random);
        return fault is null;
    }
}

/// <summary>How a server treats a command that comes while a transfer runs.</summary>
internal enum FtpServerKind
{
    /// <summary>Not seen yet.</summary>
    Unknown,

    /// <summary>Answers at once, before the transfer ends (ProFTPD's read/write loop, pyftpdlib).</summary>
    Immediate,

    /// <summary>Rejects it at once with a 5xx, harmlessly (Pure-FTPd).</summary>
    Error,

    /// <summary>Leaves it unread and answers after the transfer (vsftpd, ProFTPD with sendfile, FileZilla Server).</summary>
    Deferred,

    /// <summary>Never answers it (reported of IIS): not asked again while a transfer runs.</summary>
    Silent,
}

/// <summary>What is known of the server behind a gateway, shared by its flows.</summary>
internal sealed class FtpServer
{
    private FtpServerKind _downloads;
    private FtpServerKind _uploads;

    /// <summary>
    /// How it treats NOOP while a transfer of this direction runs. They differ: ProFTPD answers at once while it
    /// receives, and not before the end while sendfile sends.
    /// </summary>
    public FtpServerKind KindOf(bool upload) => upload ? _uploads : _downloads;

    /// <summary>The code it answers NOOP with before a transfer's end; 0 when it never has.</summary>
    internal int NoopCode { get; set; }

    internal void Learn(bool upload, FtpServerKind kind)
    {
        if (upload) _uploads = kind;
        else _downloads = kind;
    }
}
