using FsCheck;
using FsCheck.Fluent;
using KeepAlive.Sockets;

namespace KeepAlive.Tests.Sockets;

/// <summary>The texts of three systems' machine defaults, as the systems print them.</summary>
public sealed class MachineTextTests
{
    // Debian 13, /etc/sysctl.d and what sysctl.d(5) allows besides.
    private const string SysctlD = """
        # Uncomment the next line to enable TCP/IP SYN cookies
        #net.ipv4.tcp_syncookies=1
        ; another kind of comment
        net.ipv4.tcp_keepalive_time = 180
        -net.ipv4.tcp_keepalive_probes=3
        net/ipv4/tcp_keepalive_intvl	=	10
        net.ipv4.conf.*.rp_filter = 2
        kernel.printk = 3 4 1 3
        net/ipv4/conf/eth0.1/forwarding = 1
        -net.ipv4.conf.all.rp_filter
        """;

    // macOS: sysctl net.inet.tcp | grep keep, and what setting one prints.
    private const string MacSysctl = """
        net.inet.tcp.keepidle: 7200000
        net.inet.tcp.keepintvl: 75000
        net.inet.tcp.keepcnt: 8
        net.inet.tcp.always_keepalive: 0
        net.inet.tcp.keepidle: 7200000 -> 180000
        second level name tcpp in net.inet.tcpp.x is invalid
        kern.version: Darwin Kernel Version 23.4.0: Fri Mar 15 00:10:42 PDT 2024
        """;

    // Windows: reg query HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters
    private const string RegQuery =
        "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters\r\n"
        + "    DataBasePath    REG_EXPAND_SZ    %SystemRoot%\\System32\\drivers\\etc\r\n"
        + "    Domain    REG_SZ    \r\n"
        + "    KeepAliveTime    REG_DWORD    0x493e0\r\n"
        + "    KeepAliveInterval    REG_SZ    1000\r\n"
        + "    NV Hostname    REG_SZ    DESKTOP-1\r\n"
        + "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters\\Adapters\r\n";

    [Fact]
    public void Linux_files_are_read_as_their_programs_read_them() => Assert.Equal(
    [
        new SysctlLine("net.ipv4.tcp_keepalive_time", "180", false), new SysctlLine("net.ipv4.tcp_keepalive_probes", "3", true),
        new SysctlLine("net.ipv4.tcp_keepalive_intvl", "10", false), new SysctlLine("kernel.printk", "3 4 1 3", false),
        new SysctlLine("net.ipv4.conf.eth0/1.forwarding", "1", false),
    ], SysctlText.Parse(SysctlD));

    [Fact]
    public void A_key_is_a_file() => Assert.Equal("/proc/sys/net/ipv4/conf/eth0.1/forwarding", SysctlText.File("net.ipv4.conf.eth0/1.forwarding"));

    [Fact]
    public void MacOS_prints_one_a_line_and_the_new_value_behind_an_arrow()
    {
        IReadOnlyList<MachineSetting> read = MacSysctlText.Parse(MacSysctl);
        Assert.Equal([7200000L, 75000L, 8L, 0L, 180000L], read.Select(s => s.Value));
        Assert.Equal("180000ms 8 75000ms", $"{MachineKeys.MacOS.Defaults(read)!.Idle.TotalMilliseconds}ms {MachineKeys.MacOS.Defaults(read)!.Count} {MachineKeys.MacOS.Defaults(read)!.Interval.TotalMilliseconds}ms");
        Assert.False(MachineKeys.MacOS.Defaults(read)!.AlwaysOn);
        Assert.Equal(["net.inet.tcp.keepcnt=3"], MacSysctlText.WriteArguments(new("net.inet.tcp.keepcnt", 3)));
    }

    [Fact]
    public void Windows_prints_hexadecimal_and_another_type_is_no_number()
    {
        IReadOnlyList<MachineSetting> read = RegistryText.Parse(RegQuery);
        Assert.Equal(["DataBasePath", "Domain", "KeepAliveTime", "KeepAliveInterval", "NV Hostname"], read.Select(s => s.Key));
        Assert.Equal([null, null, 300_000L, null, null], read.Select(s => s.Value));
        Assert.Equal(["add", RegistryText.Parameters, "/v", "KeepAliveTime", "/t", "REG_DWORD", "/d", "60000", "/f", "/reg:64"], RegistryText.WriteArguments(RegistryText.Parameters, new("KeepAliveTime", 60000)));
        Assert.Equal(["delete", RegistryText.Parameters, "/v", "KeepAliveTime", "/f", "/reg:64"], RegistryText.WriteArguments(RegistryText.Parameters, new("KeepAliveTime", null)));
        Assert.Equal(["add", RegistryText.Kept, "/v", "KeepAliveTime", "/t", "REG_SZ", "/d", "not set", "/f", "/reg:64"], RegistryText.WriteArguments(RegistryText.Kept, new("KeepAliveTime", null)));
    }

    [Fact]
    public void The_later_file_wins_and_a_name_in_an_earlier_folder_hides_the_same_name()
    {
        SysctlFile[] files =
        [
            new("/etc/sysctl.conf", "a.b = 9"), new("/usr/lib/sysctl.d/50-a.conf", "a.b = 1"), new("/etc/sysctl.d/50-a.conf", "a.b = 2"),
            new("/run/sysctl.d/90-b.conf", "a.b = 3\nc.d = 1"), new("/etc/sysctl.d/README", "a.b = 7"),
        ];
        Assert.Equal(["/etc/sysctl.d/50-a.conf", "/run/sysctl.d/90-b.conf", "/etc/sysctl.conf"], SysctlOrder.Sort(files).Select(f => f.Path));
        SysctlOverride last = Assert.Single(SysctlOrder.After(files, "/etc/sysctl.d/50-a.conf", [new("a.b", 2)]));
        Assert.Equal(("/etc/sysctl.conf", 9L), (last.Path, last.Line.Number));
        Assert.Empty(SysctlOrder.After(files, "/etc/sysctl.d/50-a.conf", [new("a.b", 9)]));
    }

    [Fact]
    public void A_block_goes_into_a_text_and_comes_out_again()
    {
        var block = new PersistedDefaults("idle 60s, 4 probes 15s apart: dead after 2m0s", [new(MachineKeys.Linux.Idle, 60)], [new(MachineKeys.Linux.Idle, 7200)]);
        Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), text =>
        {
            string before = text.Get.Replace("# keepalive", "# other", StringComparison.Ordinal);
            string with = SysctlBlock.Put(before, block);
            Assert.True(SysctlBlock.TryRead(with, MachineKeys.Linux, out PersistedDefaults? read, out _));
            Assert.Equal((block.Meaning, 60L, 7200L), (read!.Meaning, Assert.Single(read.Values).Value, Assert.Single(read.Before).Value));
            Assert.Equal(with, SysctlBlock.Put(with, block)); // in place of the one that is there
            string without = SysctlBlock.Remove(with);
            Assert.Equal(before.Length == 0 || before.EndsWith('\n') ? before : before + "\n", without);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("# keepalive system persist: begin\n")]
    [InlineData("# keepalive system persist: end\n# keepalive system persist: begin\n")]
    [InlineData("# keepalive system persist: begin\n# keepalive system persist: begin\n# keepalive system persist: end\n")]
    public void A_block_that_a_hand_has_damaged_is_not_touched(string text)
    {
        Assert.False(SysctlBlock.TryRead(text, MachineKeys.Linux, out _, out string? fault));
        Assert.Contains("repair it by hand", fault, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => SysctlBlock.Remove(text));
    }

    [Fact]
    public void No_text_makes_a_reader_throw() => Prop.ForAll(ArbMap.Default.ArbFor<string?>(), text =>
    {
        _ = SysctlText.Parse(text ?? "");
        _ = MacSysctlText.Parse(text ?? "");
        _ = RegistryText.Parse(text ?? "");
        _ = SysctlBlock.TryRead(text ?? "", MachineKeys.Linux, out _, out _);
    }).QuickCheckThrowOnFailure();
}
