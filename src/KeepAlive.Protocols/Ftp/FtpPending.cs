using KeepAlive.Core;

namespace KeepAlive.Protocols.Ftp;

/// <summary>Whose command it is.</summary>
internal enum FtpOwner : byte
{
    /// <summary>The client's: its reply goes on.</summary>
    Client,

    /// <summary>Ours: its reply is swallowed.</summary>
    Ours,

    /// <summary>The client's, never sent: the gateway answers it when its turn comes.</summary>
    Refused,
}

/// <summary>A command whose final reply has not come.</summary>
internal struct FtpPending
{
    public FtpOwner Owner;
    public FtpVerb Verb;

    /// <summary>A 1xx came: the transfer runs.</summary>
    public bool Started;

    /// <summary>Ours, sent while a transfer of the client's ran.</summary>
    public bool InTransfer;

    /// <summary>And that transfer was an upload.</summary>
    public bool InUpload;
    public Instant SentAt;

    /// <summary>TYPE's or REST's argument, or the reply the gateway owes (<see cref="FtpOwner.Refused"/>).</summary>
    public byte[]? Text;

    /// <summary>Whether it opens a data connection and has a 1xx before its end.</summary>
    public readonly bool IsTransfer => Verb is FtpVerb.Fetch or FtpVerb.Store;

    /// <summary>Whether a reply of this code is one the command can have.</summary>
    public readonly bool CanHave(int code) => Owner switch
    {
        FtpOwner.Ours => OursCanHave(code),
        FtpOwner.Client => code >= 400 || Verb is FtpVerb.Other or FtpVerb.Greeting || ClientCanHave(code),
        _ => false,
    };

    private readonly bool OursCanHave(int code) => Verb switch
    {
        // NOOP fails only where it is not known: a 550 is rather the answer to what the client sent after it.
        FtpVerb.Noop => code is 200 or 202 or (>= 500 and <= 504),
        FtpVerb.Fetch when Started => code is < 200 or 226 or 250 or 425 or 426 or 450 or 451 or 452 or 550 or 551 or 552,
        _ when code >= 400 => true,
        FtpVerb.Type => code == 200,
        FtpVerb.Pwd => code == 257,
        FtpVerb.Stat => code is 211 or 212 or 213,
        FtpVerb.Rest => code == 350,
        FtpVerb.Cwd => code is 200 or 250,
        FtpVerb.Pasv => code == 227,
        FtpVerb.Epsv => code == 229,
        FtpVerb.Fetch => code is < 200 or 226 or 250,
        _ => false,
    };

    // Wide on purpose: servers differ. Only what would be absurd is left out.
    private readonly bool ClientCanHave(int code) => code switch
    {
        < 200 => IsTransfer,
        225 => Verb == FtpVerb.Abor,
        226 => IsTransfer || Verb == FtpVerb.Abor,
        227 => Verb == FtpVerb.Pasv,
        229 => Verb == FtpVerb.Epsv,
        257 => Verb == FtpVerb.Pwd,
        < 300 => Verb is not (FtpVerb.Pasv or FtpVerb.Pwd or FtpVerb.Rest or FtpVerb.Abor),
        _ => Verb is not (FtpVerb.Pasv or FtpVerb.Epsv or FtpVerb.Pwd or FtpVerb.Abor or FtpVerb.Noop or FtpVerb.Type),
    };
}
