namespace KeepAlive;

/// <summary>What became of the kernel keepalive that a socket was asked to have.</summary>
/// <param name="Effective">What is in force, read back from the kernel after setting; where a value can be set but not
/// read (Windows before 1709: idle and interval), what the call accepted.</param>
/// <param name="Shortfalls">Everything that is not exactly as asked, one line per option; empty when all is.</param>
public sealed record KernelKeepAliveReport(KernelKeepAliveValues Effective, IReadOnlyList<Shortfall> Shortfalls)
{
    /// <summary>Whether everything is exactly as asked.</summary>
    public bool IsAsAsked => Shortfalls.Count == 0;

    /// <summary>The values in words, then each shortfall, separated by <c>; </c>.</summary>
    public override string ToString() => string.Join("; ", [Effective.Describe(), .. Shortfalls.Select(s => s.ToString())]);
}
