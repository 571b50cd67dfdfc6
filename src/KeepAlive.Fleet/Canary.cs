using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace KeepAlive.Fleet;

/// <summary>Which machines have a policy first: others each time, the same for everybody who asks.</summary>
internal static class Canary
{
    /// <summary>A machine's place among all, for one policy.</summary>
    public static ulong HashOf(long policy, string machine) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{policy}:{machine}"))));

    /// <summary>How many machines a part of them is: at least one, and never all of several.</summary>
    public static int CountOf(double percent, int machines) => Math.Clamp((int)Math.Ceiling(percent / 100 * machines), Math.Min(1, machines), Math.Max(machines - 1, Math.Min(1, machines)));

    /// <summary>The threshold that so many of the machines are not above.</summary>
    public static ulong ThresholdOf(long policy, IEnumerable<string> machines, int canaries) =>
        machines.Select(m => HashOf(policy, m)).Order().Take(canaries).DefaultIfEmpty().Last();
}
