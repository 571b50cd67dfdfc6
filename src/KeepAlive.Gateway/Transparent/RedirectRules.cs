using System.Globalization;
using System.Text;

namespace KeepAlive.Gateway.Transparent;

/// <summary>Which connections of this machine are redirected, and where to, as rules of nftables.</summary>
internal sealed record RedirectRules
{
    /// <summary>The ports dialled: one at least, each from 1 to 65535.</summary>
    public required IReadOnlyList<int> Ports { get; init; }

    /// <summary>Where those over IPv4 go, on 127.0.0.1; null leaves them alone.</summary>
    public int? IPv4 { get; init; }

    /// <summary>Where those over IPv6 go, on ::1; null leaves them alone.</summary>
    public int? IPv6 { get; init; }

    /// <summary>Only those of this user, by name or number; null for everybody's.</summary>
    public string? User { get; init; }

    /// <summary>Only those of programs in this cgroup and below it; null for all.</summary>
    public RedirectCgroup? Cgroup { get; init; }

    /// <summary>The rules as nft(8) reads them.</summary>
    /// <param name="table">The table's name, which begins with a letter and has letters, digits and dashes only.</param>
    /// <param name="isOwned">The table goes with the process that loads it (nft(8), "owner").</param>
    /// <remarks>
    /// A chain at the place where DNAT belongs (-100), for what this machine sends. redirect goes to 127.0.0.1 and ::1 there
    /// (nf_nat_redirect.c). Only what is new to connection tracking comes by: of a connection that was there before it that is any
    /// segment (nf_conntrack_proto_tcp.c, tcp_new, "loose"), which is not to be torn out of it.
    /// </remarks>
    public string ToText(string table, bool isOwned)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"table inet {table} {{\n");
        if (isOwned) text.Append("  flags owner\n");
        text.Append("  chain output {\n    type nat hook output priority -100; policy accept\n");
        text.Append(CultureInfo.InvariantCulture, $"    meta mark 0x{OwnMark.Value:x} return comment \"dialled by a gateway\"\n");
        text.Append("    oifname \"lo\" return comment \"stays on this machine\"\n");
        text.Append("    tcp flags & (syn | ack) != syn return comment \"was there before\"\n");
        if (IPv6 is not null) text.Append("    ip6 daddr fe80::/10 return comment \"means nothing without its interface\"\n");
        Redirect(text, "ipv4", IPv4);
        Redirect(text, "ipv6", IPv6);
        return text.Append("  }\n}\n").ToString();
    }

    /// <summary>
    /// What puts an end to the redirect and not to the connections that were redirected. They are translated as long as there is a NAT
    /// chain (nf_nat_core.c, nf_nat_unregister_fn) and a rule that wants connection tracking (nf_conntrack_proto.c,
    /// nf_ct_netns_put); else their segments would go to the server itself, which knows nothing of them.
    /// </summary>
    internal static string LettingGo(string table) =>
        $"flush chain inet {table} output\nadd rule inet {table} output ct state established return comment \"for those redirected before\"\n";

    private void Redirect(StringBuilder text, string family, int? port)
    {
        if (port is null) return;
        text.Append(CultureInfo.InvariantCulture, $"    meta nfproto {family} ");
        if (User is not null) text.Append(CultureInfo.InvariantCulture, $"meta skuid {(char.IsAsciiDigit(User[0]) ? User : $"\"{User}\"")} ");
        if (Cgroup is not null) text.Append(CultureInfo.InvariantCulture, $"socket cgroupv2 level {Cgroup.Level} \"{Cgroup.Path}\" ");
        text.Append(CultureInfo.InvariantCulture, $"tcp dport {{ {string.Join(", ", Ports.Distinct().Order())} }} redirect to :{port}\n");
    }
}
