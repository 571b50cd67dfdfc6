namespace KeepAlive.Protocols.Ssh;

/// <summary>What happened in a session.</summary>
internal enum SshEventKind
{
    /// <summary>Keys were exchanged, for the first time or again; the text names the algorithms.</summary>
    KeysExchanged,

    /// <summary>The user is logged in.</summary>
    LoggedIn,

    /// <summary>A way to log in was refused.</summary>
    LoginRefused,

    /// <summary>A channel is open, and what it is for was granted.</summary>
    ChannelOpened,

    /// <summary>A channel is closed, or was never opened; the text says why.</summary>
    ChannelClosed,

    /// <summary>A keepalive of ours went out.</summary>
    ProbeSent,

    /// <summary>Its answer is here: failure, success or unimplemented, each as good as the others; <see cref="SshEvent.Took"/> is the round trip.</summary>
    ProbeAnswered,

    /// <summary>A keepalive of the peer's was answered.</summary>
    ProbeHeard,

    /// <summary>The peer is dead: keepalive gave it up. The end follows.</summary>
    Died,

    /// <summary>Worth knowing.</summary>
    Notice,

    /// <summary>The session is over; <see cref="SshSession.End"/> has it all.</summary>
    Ended,
}

/// <summary>A fact of a session.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Text">What a person needs to know beside it; one line, no control characters.</param>
internal sealed record SshEvent(SshEventKind Kind, string Text)
{
    /// <summary>A round trip.</summary>
    public TimeSpan? Took { get; init; }
}
