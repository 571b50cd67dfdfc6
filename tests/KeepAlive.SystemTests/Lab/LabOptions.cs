namespace KeepAlive.SystemTests.Lab;

public enum Middlebox
{
    /// <summary>Translates the client's address; nothing from the server's side opens a connection. Home and office routers.</summary>
    MasqueradingNat,

    /// <summary>Routes without translation and lets both sides open connections, but only with a SYN. What active FTP needs.</summary>
    StatefulFirewall,
}

/// <param name="Middlebox">What stands between client and server.</param>
/// <param name="BindingTimeout">Silence after which the middlebox forgets an established connection; whole seconds.</param>
public sealed record LabOptions(Middlebox Middlebox, TimeSpan BindingTimeout)
{
    public static LabOptions Default { get; } = new(Middlebox.MasqueradingNat, TimeSpan.FromSeconds(8));
}
