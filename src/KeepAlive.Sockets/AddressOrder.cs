using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Sockets;

/// <summary>In which order the addresses of a name are tried (RFC 8305 section 4).</summary>
internal static class AddressOrder
{
    /// <summary>Most addresses tried for one name: a bound on the work and the error text that a DNS answer can cause.</summary>
    public const int AddressesMax = 32;

    /// <summary>
    /// Families take turns, beginning with the first address's (First Address Family Count 1); within a family the
    /// resolver's order, which is RFC 6724's, stays. Duplicates go.
    /// </summary>
    public static IReadOnlyList<IPAddress> Interleave(IEnumerable<IPAddress> addresses)
    {
        IPAddress[] all = [.. addresses.Where(IsInternet).Distinct()];
        if (all.Length == 0) return [];
        AddressFamily first = all[0].AddressFamily;
        IPAddress[] ours = [.. all.Where(a => a.AddressFamily == first)];
        IPAddress[] others = [.. all.Where(a => a.AddressFamily != first)];

        var order = new List<IPAddress>(all.Length);
        for (int i = 0; i < Math.Max(ours.Length, others.Length); i++)
        {
            if (i < ours.Length) order.Add(ours[i]);
            if (i < others.Length) order.Add(others[i]);
        }

        return order.Count > AddressesMax ? order.GetRange(0, AddressesMax) : order;
    }

    private static bool IsInternet(IPAddress address) =>
        address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6;
}
