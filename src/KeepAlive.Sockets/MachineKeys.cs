using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive.Sockets;

/// <summary>How one system names and counts the keepalive defaults of the whole machine, and what it takes.</summary>
internal sealed class MachineKeys
{
    // MicrosoftDocs: since Vista ten probes, unless a program sets TCP_KEEPCNT.
    private const int WindowsCount = 10;

    private MachineKeys(string name, TimeSpan unit, string idle, string? count, string interval) =>
        (Name, Unit, Idle, Count, Interval) = (name, unit, idle, count, interval);

    /// <summary>
    /// tcp(7), ip-sysctl: seconds, one set for each network namespace, IPv6 too; a new namespace starts from 7200, 9,
    /// 75. The sysctls take more than a socket may be told (TCP_KEEPIDLE, TCP_KEEPINTVL 1 to 32767 s, TCP_KEEPCNT 1 to
    /// 127); here the socket's limits count.
    /// </summary>
    public static MachineKeys Linux { get; } = new("Linux", TimeSpan.FromSeconds(1),
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_intvl")
    { TimeMax = 32767, CountMax = 127, AlsoShown = "net.ipv4.tcp_retries2" };

    /// <summary>xnu, bsd/netinet/tcp_timer.c: milliseconds in an int.</summary>
    public static MachineKeys MacOS { get; } = new("macOS", TimeSpan.FromMilliseconds(1),
        "net.inet.tcp.keepidle", "net.inet.tcp.keepcnt", "net.inet.tcp.keepintvl")
    { TimeMax = int.MaxValue, CountMax = int.MaxValue, AlsoShown = "net.inet.tcp.always_keepalive" };

    /// <summary>MicrosoftDocs, KeepAliveTime and KeepAliveInterval: milliseconds in a REG_DWORD, 7200000 and 1000 where not set; 10 probes.</summary>
    public static MachineKeys Windows { get; } = new("Windows", TimeSpan.FromMilliseconds(1), "KeepAliveTime", null, "KeepAliveInterval")
    { TimeMax = uint.MaxValue, CountMax = WindowsCount };

    /// <summary>The system's name in prose.</summary>
    public string Name { get; }

    /// <summary>What one stands for in times: 1 s or 1 ms.</summary>
    public TimeSpan Unit { get; }

    /// <summary>The key of idle.</summary>
    public string Idle { get; }

    /// <summary>The key of the count; null where the system has no setting for it.</summary>
    public string? Count { get; }

    /// <summary>The key of the interval.</summary>
    public string Interval { get; }

    /// <summary>The longest time that is set, in units; the shortest is 1.</summary>
    public long TimeMax { get; private init; }

    /// <summary>The most probes that are set, the least being 1; the only number where <see cref="Count"/> is null.</summary>
    public int CountMax { get; private init; }

    /// <summary>A key that is not set here but decides together with these: tcp_retries2, always_keepalive; null for none.</summary>
    public string? AlsoShown { get; private init; }

    /// <summary>The keys that are set, in the order of a policy: idle, count, interval.</summary>
    public IReadOnlyList<string> All => Count is null ? [Idle, Interval] : [Idle, Count, Interval];

    /// <summary>The policy in this system's keys and units, or every fault: value, limit and what to do.</summary>
    public bool TrySettings(KeepAlivePolicy policy, out IReadOnlyList<MachineSetting> settings, [NotNullWhen(false)] out string? faults)
    {
        ArgumentNullException.ThrowIfNull(policy);
        string[] found = [.. Faults(policy)];
        faults = found.Length == 0 ? null : string.Join("; ", found);
        settings = found.Length > 0 ? []
            : [.. All.Select(key => new MachineSetting(key, key == Idle ? policy.Idle.Ticks / Unit.Ticks : key == Interval ? policy.Interval.Ticks / Unit.Ticks : policy.Count))];
        return faults is null;
    }

    /// <summary>What these settings amount to; null when a number is missing that the system has no default for.</summary>
    public MachineDefaults? Defaults(IEnumerable<MachineSetting> settings)
    {
        var values = new Dictionary<string, long?>(StringComparer.OrdinalIgnoreCase);
        foreach (MachineSetting setting in settings) values[setting.Key] = setting.Value;
        long? of(string key) => values.GetValueOrDefault(key);
        long? idle = of(Idle), count = Count is null ? CountMax : of(Count), interval = of(Interval);
        if (this == Windows) (idle, interval) = (idle ?? 7_200_000, interval ?? 1000);
        if ((idle, count, interval) is not ({ } i, { } c, { } n)) return null;
        return new MachineDefaults(Time(i), Clamp(c), Time(n))
        {
            AlwaysOn = this == MacOS && of(AlsoShown!) is { } on ? on != 0 : null,
            Retries = this == Linux && of(AlsoShown!) is { } retries ? Clamp(retries) : null,
        };
    }

    /// <summary>The value as the system counts it, with its unit: <c>60 s</c>, <c>60000 ms</c>, <c>4</c>, <c>not set</c>.</summary>
    public string Text(MachineSetting setting) => setting.Value is not { } value ? "not set"
        : setting.Key == Idle || setting.Key == Interval ? string.Create(CultureInfo.InvariantCulture, $"{value} {(Unit.TotalSeconds < 1 ? "ms" : "s")}")
        : value.ToString(CultureInfo.InvariantCulture);

    private IEnumerable<string> Faults(KeepAlivePolicy policy)
    {
        if (Fault(policy.Idle) is { } badIdle) yield return $"idle {badIdle}";
        if (Count is null && policy.Count != CountMax) yield return $"count {policy.Count}: {Name} sends {CountMax} probes and has no setting for it: write {CountMax}";
        else if (policy.Count > CountMax) yield return $"count {policy.Count} is above {CountMax}, the most {Name} takes: use at most that";
        if (Fault(policy.Interval) is { } badInterval) yield return $"interval {badInterval}";
    }

    private string? Fault(TimeSpan time) =>
        time.Ticks % Unit.Ticks != 0 ? $"{Duration.Format(time)} is not a whole number of {(Unit.TotalSeconds < 1 ? "milliseconds" : "seconds")}, and {Name} counts in those: use one"
        : time.Ticks / Unit.Ticks > TimeMax ? $"{Duration.Format(time)} is above {Duration.Format(TimeMax * Unit)}, the most {Name} takes: use at most that"
        : null;

    private TimeSpan Time(long value) => MachineDefaults.Saturated((Int128)value * Unit.Ticks);

    private static int Clamp(long value) => (int)Math.Clamp(value, int.MinValue, int.MaxValue);
}
