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
    public static string For(LabOptions options) =>
        options.Middlebox switch
        {
            Middlebox.MasqueradingNat => Nat(options),
            Middlebox.OutgoingDataNat => Nat(options) + OutgoingData(options.BindingTimeout),
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
            _ => throw new ArgumentOutOfRangeException(nameof(options), options, "unknown middlebox"),
        } + BlackHole;

    private static string Nat(LabOptions options) =>
        $$"""
        table ip translate { chain post { type nat hook postrouting priority 100; oifname "outside" masquerade; }; }
        table ip filter {
          chain forwarded { type filter hook forward priority 0; policy drop;
            ct state established,related accept
            ct state invalid {{(options.Resets ? "reject with tcp reset" : "drop")}}
            iifname "inside" ct state new {{(options.IsLoose ? "" : "tcp flags & (syn|ack) == syn")}} accept
            meta l4proto tcp {{(options.Resets ? "reject with tcp reset" : "drop")}}; }
          chain incoming { type filter hook input priority 0; policy accept;
            iifname "outside" meta l4proto tcp {{(options.Resets ? "reject with tcp reset" : "drop")}}; }
        }
        """;

    // 52 bytes are a segment without data (20 IP, 20 TCP, 12 timestamps); a SYN has more.
    private static string OutgoingData(TimeSpan timeout) =>
        $$"""

        table ip outgoing {
          set alive { type inet_service; flags dynamic,timeout; timeout {{(int)timeout.TotalSeconds}}s; size 65536; }
          chain forwarded { type filter hook forward priority -10; policy drop;
            iifname "inside" meta l4proto tcp ip length > 52 update @alive { tcp sport timeout {{(int)timeout.TotalSeconds}}s }
            iifname "inside" tcp sport @alive accept
            iifname "outside" tcp dport @alive accept; }
        }
        """;

    /// <summary>Before everything else, empty until the lab is told to swallow all that passes.</summary>
    private const string BlackHole = """

        table ip blackhole { chain early { type filter hook prerouting priority -400; policy accept; }; }
        """;

    /// <summary>loose=0, unless asked for: a segment in mid-connection makes no new binding.</summary>
    public static string Settings(LabOptions options) =>
        $"""
        echo 1 > /proc/sys/net/ipv4/ip_forward
        echo {(options.IsLoose ? 1 : 0)} > /proc/sys/net/netfilter/nf_conntrack_tcp_loose
        echo {(options.Middlebox == Middlebox.OutgoingDataNat ? 3600 : (int)options.BindingTimeout.TotalSeconds).ToString(CultureInfo.InvariantCulture)} > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established
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
