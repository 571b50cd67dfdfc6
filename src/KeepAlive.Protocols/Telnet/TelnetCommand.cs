namespace KeepAlive.Protocols.Telnet;

/// <summary>What follows an IAC (RFC 854).</summary>
internal static class TelnetCommand
{
    public const byte SubnegotiationEnd = 240;
    public const byte NoOperation = 241;
    public const byte Subnegotiation = 250;
    public const byte Will = 251;
    public const byte Wont = 252;
    public const byte Do = 253;
    public const byte Dont = 254;
    public const byte Iac = 255;

    /// <summary>The option of RFC 860: answered in turn, once all before it is seen to.</summary>
    public const byte TimingMark = 6;

    /// <summary>The option of MUDs whose stream is compressed from its subnegotiation on (MCCP 2).</summary>
    public const byte Compress2 = 86;

    /// <summary>The option of RFC 2946.</summary>
    public const byte Encrypt = 38;
}
