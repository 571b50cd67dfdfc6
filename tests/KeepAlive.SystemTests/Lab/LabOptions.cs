namespace KeepAlive.SystemTests.Lab;

public enum Middlebox
{
    /// <summary>Translates the client's address; nothing from the server's side opens a connection. Home and office routers.</summary>
    MasqueradingNat,

    /// <summary>Routes without translation and lets both sides open connections, but only with a SYN. What active FTP needs.</summary>
    StatefulFirewall,

    /// <summary>A masquerading NAT that forgets flows on which the client's side has sent no application data for too long: neither keepalive
    /// nor what the server sends refreshes them.</summary>
    OutgoingDataNat,
}

/// <param name="Middlebox">What stands between client and server.</param>
/// <param name="BindingTimeout">Silence after which the middlebox forgets an established connection; whole seconds.</param>
public sealed record LabOptions(Middlebox Middlebox, TimeSpan BindingTimeout)
{
    /// <summary>Whether a segment in mid-connection from the client's side makes a new binding, as Linux does unless told otherwise.</summary>
    public bool IsLoose { get; init; }

    /// <summary>Whether what comes for a forgotten connection is answered by a reset, and not dropped.</summary>
    public bool Resets { get; init; }

    public static LabOptions Default { get; } = new(Middlebox.MasqueradingNat, TimeSpan.FromSeconds(8));
}
