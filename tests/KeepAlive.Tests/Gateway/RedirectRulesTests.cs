using KeepAlive.Gateway.Transparent;

namespace KeepAlive.Tests.Gateway;

/// <summary>The rules of transparent mode as nft is given them, and the names of the tables they are in.</summary>
public sealed class RedirectRulesTests
{
    private static readonly RedirectRules Rules = new() { Ports = [5432, 21, 389, 21], IPv4 = 40001, IPv6 = 40002 };

    [Fact]
    public void Both_versions_of_IP_are_redirected_and_what_a_gateway_dials_is_not() => Assert.Equal(
        """
        table inet keepalive-1-2-3 {
          flags owner
          chain output {
            type nat hook output priority -100; policy accept
            meta mark 0x6b return comment "dialled by a gateway"
            oifname "lo" return comment "stays on this machine"
            tcp flags & (syn | ack) != syn return comment "was there before"
            ip6 daddr fe80::/10 return comment "means nothing without its interface"
            meta nfproto ipv4 tcp dport { 21, 389, 5432 } redirect to :40001
            meta nfproto ipv6 tcp dport { 21, 389, 5432 } redirect to :40002
          }
        }

        """, Rules.ToText("keepalive-1-2-3", isOwned: true));

    [Fact]
    public void A_user_and_a_cgroup_restrict_each_rule_and_without_IPv6_there_is_none_of_it() => Assert.Equal(
        """
        table inet t {
          chain output {
            type nat hook output priority -100; policy accept
            meta mark 0x6b return comment "dialled by a gateway"
            oifname "lo" return comment "stays on this machine"
            tcp flags & (syn | ack) != syn return comment "was there before"
            meta nfproto ipv4 meta skuid "backup" socket cgroupv2 level 2 "unified/a/b" tcp dport { 21, 389, 5432 } redirect to :40001
          }
        }

        """, (Rules with { IPv6 = null, User = "backup", Cgroup = new RedirectCgroup(2, "unified/a/b") }).ToText("t", isOwned: false));

    [Fact]
    public void A_user_s_number_is_no_name() =>
        Assert.Contains(" meta skuid 1000 tcp ", (Rules with { User = "1000" }).ToText("t", isOwned: false), StringComparison.Ordinal);

    [Fact]
    public void A_table_is_left_over_when_its_owner_has_ended_or_another_process_has_its_number()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: /proc");
        string[] own = TableName.Own.Split('-');
        Assert.False(TableName.IsLeft(TableName.Own));
        Assert.True(TableName.IsLeft($"{own[0]}-{own[1]}-{own[2]}9-{own[3]}"));
        Assert.True(TableName.IsLeft($"{own[0]}-{int.MaxValue}-{own[2]}-{own[3]}"));
        Assert.False(TableName.IsLeft($"{own[0]}-{int.MaxValue}-{own[2]}-1")); // in another pid namespace
    }

    [Theory]
    [InlineData("filter")]
    [InlineData("keepalive-")]
    [InlineData("keepalive-1-2")]
    [InlineData("keepalive-a-2-3")]
    [InlineData("keepalive-1-2-3-4")]
    public void Tables_of_others_are_not_ours_to_remove(string table) => Assert.False(TableName.IsLeft(table));

    [Fact]
    public void Without_nft_the_package_is_named() =>
        Assert.Contains("install the package nftables", Assert.Throws<RedirectException>(() => NftProgram.Find(["/nowhere", "/proc"])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("/dev/stdin:1:91-102: Error: User does not exist", "User does not exist: give --user")]
    [InlineData("netlink: Error: cache initialization failed: Operation not permitted", "Operation not permitted: it needs root")]
    [InlineData("Operation not permitted (you must be root)", "it needs root, or CAP_NET_ADMIN")]
    [InlineData("Error: Could not process rule: No such file or directory", "CONFIG_NFT_SOCKET")]
    public void What_nft_refuses_is_told_with_what_to_do(string said, string told) =>
        Assert.Contains(told, NftProgram.Refused(said).Message, StringComparison.Ordinal);
}
