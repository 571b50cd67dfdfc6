namespace KeepAlive.Linux.Diag;

/// <summary>A set of TCP states.</summary>
internal readonly record struct TcpStates
{
    private TcpStates(uint bits) => Bits = bits;

    /// <summary>Every state there is.</summary>
    public static TcpStates All { get; } = new(0xFFE);

    /// <summary>Open as far as this end knows, and able to stay so: established, close-wait.</summary>
    public static TcpStates Lasting { get; } = default(TcpStates).With(TcpState.Established).With(TcpState.CloseWait);

    // A bit a state, by the kernel's number: what inet_diag takes.
    internal uint Bits { get; }

    /// <summary>Whether it has this state.</summary>
    public bool Contains(TcpState state) => (Bits & (1u << (int)state)) != 0;

    /// <summary>This and one more.</summary>
    public TcpStates With(TcpState state) => new(Bits | (1u << (int)state));
}
