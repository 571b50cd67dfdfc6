using System.Globalization;
using System.Text.RegularExpressions;

namespace KeepAlive.SystemTests.Lab;

/// <param name="At">When the kernel saw it, on the clock of <see cref="DateTimeOffset.UtcNow"/>.</param>
/// <param name="From">Sender as <c>address.port</c>.</param>
/// <param name="To">Receiver as <c>address.port</c>.</param>
/// <param name="Flags">As tcpdump writes them: <c>S</c>, <c>P.</c>, <c>.</c>, <c>R.</c>.</param>
/// <param name="Length">Payload bytes.</param>
public sealed record Packet(DateTimeOffset At, string From, string To, string Flags, int Length);

/// <summary>TCP segments seen on one interface of the lab, with the kernel's time of each.</summary>
public sealed partial class PacketCapture : IAsyncDisposable
{
    private readonly ChildProcess _tcpdump;

    private PacketCapture(ChildProcess tcpdump) => _tcpdump = tcpdump;

    public IReadOnlyList<Packet> Packets => [.. _tcpdump.Lines.Select(Parse).OfType<Packet>()];

    public static async Task<PacketCapture> StartAsync(NetworkSpace space, string device, string filter)
    {
        Requires.Programs("tcpdump");
        ChildProcess tcpdump = await space.StartAsync(["tcpdump", "-i", device, "-n", "-tt", "-l", "--immediate-mode", filter]);
        await tcpdump.WaitForLineAsync(line => line.Contains("listening on", StringComparison.Ordinal), TimeSpan.FromSeconds(10));
        return new PacketCapture(tcpdump);
    }

    public async Task<Packet> WaitForAsync(Func<Packet, bool> matches, TimeSpan within, CancellationToken cancel) =>
        Parse(await _tcpdump.WaitForLineAsync(line => Parse(line) is { } packet && matches(packet), within, cancel))!;

    /// <summary>The longest time in which nothing was seen, between two segments.</summary>
    public TimeSpan LongestSilence()
    {
        IReadOnlyList<Packet> packets = Packets;
        return packets.Zip(packets.Skip(1), (before, after) => after.At - before.At).DefaultIfEmpty().Max();
    }

    public ValueTask DisposeAsync() => _tcpdump.DisposeAsync();

    private static Packet? Parse(string line)
    {
        Match match = Segment().Match(line);
        if (!match.Success) return null;
        // Microseconds as an integer: a double of this size is good for a quarter of one only.
        long micros = long.Parse(match.Groups["s"].ValueSpan, CultureInfo.InvariantCulture) * 1_000_000
            + long.Parse(match.Groups["us"].ValueSpan, CultureInfo.InvariantCulture);
        return new Packet(
            DateTimeOffset.UnixEpoch.AddMicroseconds(micros), match.Groups["from"].Value, match.Groups["to"].Value,
            match.Groups["flags"].Value, int.Parse(match.Groups["len"].ValueSpan, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^(?<s>\d+)\.(?<us>\d{6}) IP (?<from>\S+) > (?<to>\S+): Flags \[(?<flags>[^\]]+)\].* length (?<len>\d+)")]
    private static partial Regex Segment();
}
