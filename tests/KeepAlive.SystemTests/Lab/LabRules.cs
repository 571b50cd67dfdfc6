using System.Globalization;

namespace KeepAlive.SystemTests.Lab;

/// <summary>What the middlebox of a lab is told: nftables rules and kernel settings.</summary>
internal static class LabRules
{
    /// <summary>
    /// Expired flows are dropped without a word, in both chains that can meet their late segments: with address translation
    /// a late segment from the server has no binding any more, so it is addressed to the router itself and comes to
    /// <c>input</c>, where the router's own stack would answer it with a reset.
    /// </summary>
    public static string For(Middlebox middlebox) =>
        middlebox switch
        {
            Middlebox.MasqueradingNat => """
                table ip translate { chain post { type nat hook postrouting priority 100; oifname "outside" masquerade; }; }
                table ip filter {
                  chain forwarded { type filter hook forward priority 0; policy drop;
                    ct state established,related accept
                    ct state invalid drop
                    iifname "inside" ct state new tcp flags & (syn|ack) == syn accept; }
                  chain incoming { type filter hook input priority 0; policy accept;
                    iifname "outside" meta l4proto tcp drop; }
                }
                """,
            Middlebox.StatefulFirewall => """
                table ip filter {
                  chain forwarded { type filter hook forward priority 0; policy drop;
                    ct state established,related accept
                    ct state invalid drop
                    ct state new tcp flags & (syn|ack) == syn accept; }
                  chain incoming { type filter hook input priority 0; policy accept;
                    meta l4proto tcp drop; }
                }
                """,
            _ => throw new ArgumentOutOfRangeException(nameof(middlebox), middlebox, "unknown middlebox"),
        } + BlackHole;

    /// <summary>Before everything else, empty until the lab is told to swallow all that passes.</summary>
    private const string BlackHole = """

        table ip blackhole { chain early { type filter hook prerouting priority -400; policy accept; }; }
        """;

    /// <summary>loose=0: a segment in mid-connection never makes a new binding.</summary>
    public static string Settings(TimeSpan bindingTimeout) =>
        $"""
        echo 1 > /proc/sys/net/ipv4/ip_forward
        echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose
        echo {((int)bindingTimeout.TotalSeconds).ToString(CultureInfo.InvariantCulture)} > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established
        """;

    /// <summary>
    /// Small socket buffers on the hosts: a transfer at a few hundred KB/s then takes as long for both ends, instead of one
    /// end being done at once with megabytes still under way.
    /// </summary>
    public const string HostSettings = """
        echo 4096 65536 131072 > /proc/sys/net/ipv4/tcp_rmem
        echo 4096 32768 131072 > /proc/sys/net/ipv4/tcp_wmem
        """;
}
