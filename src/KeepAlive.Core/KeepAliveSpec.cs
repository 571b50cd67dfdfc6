using System.Diagnostics.CodeAnalysis;
using KeepAlive.Core;

namespace KeepAlive;

/// <summary>
/// What the text SPEC asks for, everywhere: keepalive off, on with the values of whoever applies it
/// (the machine's own for a socket, <see cref="KeepAlivePolicy.Default"/> for our probes), or on with a policy.
/// </summary>
/// <remarks>
/// <c>off</c> | <c>on</c> | <c>idle:count:interval</c> (<c>7200:9:75</c>, <c>2h:9:75s</c>) | named parts
/// (<c>idle=60s,count=4,interval=15s</c>; a part not named keeps <see cref="KeepAlivePolicy.Default"/>'s value).
/// Bare numbers are seconds. The order is that of ProFTPD's <c>SocketOptions keepalive</c>.
/// </remarks>
public readonly record struct KeepAliveSpec
{
    private KeepAliveSpec(bool isOn, KeepAlivePolicy? policy) => (IsOn, Policy) = (isOn, policy);

    /// <summary>No keepalive. Also what <c>default</c> is.</summary>
    public static KeepAliveSpec Off => default;

    /// <summary>Keepalive on, the values left to whoever applies it.</summary>
    public static KeepAliveSpec On { get; } = new(true, null);

    /// <summary>Keepalive on with this policy.</summary>
    /// <exception cref="ArgumentNullException">The policy is null: <see cref="On"/> is keepalive without one.</exception>
    public static KeepAliveSpec Of(KeepAlivePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return new KeepAliveSpec(true, policy);
    }

    /// <summary>Whether keepalive is wanted at all.</summary>
    public bool IsOn { get; }

    /// <summary>The numbers asked for; null when off, or when on with the applier's own values.</summary>
    public KeepAlivePolicy? Policy { get; }

    /// <summary>The meaning of the text.</summary>
    /// <exception cref="ArgumentNullException">The text is null.</exception>
    /// <exception cref="FormatException">The text is not a SPEC; the message names every fault and its fix.</exception>
    public static KeepAliveSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out KeepAliveSpec spec, out string? faults) ? spec : throw new FormatException(faults);
    }

    /// <summary>The meaning of the text, or every fault in it: one line, safe to show on a terminal.</summary>
    public static bool TryParse(string? text, out KeepAliveSpec spec, [NotNullWhen(false)] out string? faults) =>
        SpecText.TryParse(text, out spec, out faults);

    /// <summary>What it means in words.</summary>
    public string Describe() => !IsOn ? "off" : Policy?.Describe() ?? "on, with the machine's own values";

    /// <summary>The text, which <see cref="Parse"/> reads back.</summary>
    public override string ToString() => !IsOn ? "off" : Policy?.ToString() ?? "on";
}
