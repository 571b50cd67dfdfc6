using System.Globalization;
using System.Net.Sockets;

namespace KeepAlive.Gateway;

/// <summary>
/// Descriptors that flows may not take. The runtime ends the whole process ("Out of memory.") when it needs one, to
/// load code or start a thread, and there is none: so new flows and data connections are refused before that.
/// </summary>
/// <remarks>A new descriptor is the least free number (open(2)): the number of a fresh one says how many are in use.
/// Linux only; elsewhere the limit is not known without native calls.</remarks>
internal static class DescriptorReserve
{
    /// <summary>Left for data connections of flows that are there, and for the runtime.</summary>
    public const int Flows = 96;

    /// <summary>Left for the runtime.</summary>
    public const int Data = 48;

    private static readonly long Limit = OperatingSystem.IsLinux() ? ReadLimit() : long.MaxValue;

    /// <summary>Whether a fresh socket leaves fewer than <paramref name="reserve"/> descriptors to the process.</summary>
    public static bool IsTouchedBy(Socket fresh, int reserve) => IsTouchedBy((int)fresh.Handle, reserve);

    /// <summary>Whether a fresh descriptor does.</summary>
    public static bool IsTouchedBy(int fresh, int reserve) => fresh >= Limit - reserve;

    // proc(5): "Max open files            1024                 20000                files".
    private static long ReadLimit()
    {
        const string Name = "Max open files";
        string? line = File.ReadLines("/proc/self/limits").FirstOrDefault(l => l.StartsWith(Name, StringComparison.Ordinal));
        string? soft = line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out long limit) ? limit : long.MaxValue;
    }
}
