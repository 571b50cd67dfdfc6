using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive.Protocols.Ssh;

/// <summary>
/// Keepalive in SSH: a request that nobody knows, for which an answer is wanted. The failure that comes back is the proof of life.
/// </summary>
/// <remarks>
/// OpenSSH's ClientAliveCountMax and ServerAliveCountMax and ProFTPD's SFTPClientAlive are documented as giving up after count times
/// interval; all three do so an interval later, and mod_sftp counts no packet but a reply to its own. Here any packet counts, and the time is exact:
/// the first probe an interval after the last packet, another each interval, the end at count times interval.
/// </remarks>
internal sealed record SshKeepAlive
{
    /// <summary>OpenSSH's name for it.</summary>
    public const string OpenSshName = "keepalive@openssh.com";

    /// <summary>ProFTPD's name for it.</summary>
    public const string ProFtpdName = "keepalive@proftpd.org";

    /// <summary>A keepalive.</summary>
    /// <param name="count">Intervals of silence that mean death, 1 to 255.</param>
    /// <param name="interval">Their length, <see cref="KeepAlivePolicy.DurationMin"/> to <see cref="KeepAlivePolicy.DurationMax"/>.</param>
    /// <param name="name">The request's name, <see cref="OpenSshName"/> or <see cref="ProFtpdName"/>: every peer answers that it knows neither.</param>
    /// <exception cref="ArgumentException">A number is out of range; the message names every fault.</exception>
    public SshKeepAlive(int count, TimeSpan interval, string name = OpenSshName)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var asked = new KeepAlivePolicy(interval, count, interval); // names every fault
        (Count, Interval, Name) = (count, interval, name);
        // A single interval must hold the probe and the time for its answer.
        Policy = count == 1 ? new KeepAlivePolicy(interval / 2, 1, interval - (interval / 2)) : new KeepAlivePolicy(asked.Idle, count - 1, interval);
    }

    /// <summary>Intervals of silence that mean death.</summary>
    public int Count { get; }

    /// <summary>Their length.</summary>
    public TimeSpan Interval { get; }

    /// <summary>The request's name.</summary>
    public string Name { get; }

    /// <summary>From the last packet to the verdict: count times interval.</summary>
    public TimeSpan DetectionTime => Policy.DetectionTime;

    /// <summary>The same, as the core's state machine has it.</summary>
    public KeepAlivePolicy Policy { get; }

    /// <summary>Its numbers: <c>3:15s</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Count}:{Duration.Format(Interval)}");
}
