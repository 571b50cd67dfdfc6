using KeepAlive.Linux.Native;
using static KeepAlive.Linux.Native.SocketOption;

namespace KeepAlive.Linux.Launch;

/// <summary>Which syscalls the supervisor is asked about.</summary>
internal enum SeccompAsks
{
    /// <summary>socket(2) for TCP: the supervisor makes the socket and puts it into the program (SECCOMP_IOCTL_NOTIF_ADDFD).</summary>
    Socket,

    /// <summary>connect(2) and listen(2): the supervisor borrows the socket (pidfd_getfd), sets it, lets the call go on.</summary>
    ConnectAndListen,
}

/// <summary>
/// The seccomp filter of a launched program, in classic BPF over <c>struct seccomp_data</c> (linux/seccomp.h). All calls
/// are allowed but two kinds: the supervisor is asked about new TCP sockets, and a program that sets keepalive itself is
/// told it worked while nothing is done.
/// </summary>
/// <remarks>
/// <code>
/// struct seccomp_data: nr i32 @0 | arch u32 @4 | instruction pointer u64 @8 | args u64[6] @16
/// instruction:         code u16 | jump if true u8 | jump if false u8 | k u32     (linux/filter.h)
/// </code>
/// Calls of another ABI (32-bit and x32 programs) are let through: the sweep finds their sockets.
/// </remarks>
internal sealed class SeccompFilter
{
    public const uint Allow = 0x7FFF0000;   // SECCOMP_RET_ALLOW
    public const uint Pretend = 0x00050000; // SECCOMP_RET_ERRNO with errno 0
    public const uint Ask = 0x7FC00000;     // SECCOMP_RET_USER_NOTIF

    private const uint NumberAt = 0;
    private const uint ArchAt = 4;

    // linux/net.h, linux/in.h
    private const uint SOCK_TYPE_MASK = 0xF;
    private const uint IPPROTO_MPTCP = 262;

    private const ulong LoadWord = 0x20;
    private const ulong AndWith = 0x54;
    private const ulong JumpIfEqual = 0x15;
    private const ulong ReturnValue = 0x06;

    private readonly List<ulong> _code = [];
    private readonly Dictionary<string, int> _labels = [];
    private readonly List<(int At, string Label)> _jumps = [];

    /// <summary>The program, an instruction each.</summary>
    public static ulong[] Build(Syscalls numbers, SeccompAsks asks)
    {
        var filter = new SeccompFilter();
        filter.Load(ArchAt).Goto("ours", numbers.AuditArch).Return(Allow);
        filter.Label("ours").Load(NumberAt).Goto("setsockopt", numbers.Setsockopt);
        if (asks == SeccompAsks.Socket) filter.Goto("socket", numbers.Socket).Return(Allow);
        else filter.Goto("ask", numbers.Connect, numbers.Listen).Return(Allow);

        filter.Label("setsockopt").Argument(1).Goto("of sockets", SOL_SOCKET).Goto("of TCP", SOL_TCP).Return(Allow);
        filter.Label("of sockets").Argument(2).Goto("pretend", SO_KEEPALIVE).Return(Allow);
        filter.Label("of TCP").Argument(2).Goto("pretend", TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT).Return(Allow);
        if (asks == SeccompAsks.Socket)
        {
            filter.Label("socket").Argument(0).Goto("internet", Libc.AF_INET, Libc.AF_INET6).Return(Allow);
            filter.Label("internet").Argument(1).And(SOCK_TYPE_MASK).Goto("stream", Libc.SOCK_STREAM).Return(Allow);
            filter.Label("stream").Argument(2).Goto("ask", 0, Libc.IPPROTO_TCP, IPPROTO_MPTCP).Return(Allow);
        }

        return filter.Label("ask").Return(Ask).Label("pretend").Return(Pretend).Assemble();
    }

    private SeccompFilter Load(uint at) => Add(LoadWord, at);

    // The low half of an argument, which is all of it for an int; both architectures are little-endian.
    private SeccompFilter Argument(uint number) => Load(16 + (8 * number));

    private SeccompFilter And(uint mask) => Add(AndWith, mask);

    private SeccompFilter Return(uint verdict) => Add(ReturnValue, verdict);

    /// <summary>Goes there when the value is one of these, on otherwise.</summary>
    private SeccompFilter Goto(string label, params ReadOnlySpan<long> values)
    {
        foreach (long value in values)
        {
            _jumps.Add((_code.Count, label));
            Add(JumpIfEqual, (uint)value);
        }

        return this;
    }

    private SeccompFilter Label(string name)
    {
        _labels.Add(name, _code.Count);
        return this;
    }

    private SeccompFilter Add(ulong code, uint k)
    {
        _code.Add(code | ((ulong)k << 32));
        return this;
    }

    private ulong[] Assemble()
    {
        ulong[] code = [.. _code];
        foreach ((int at, string label) in _jumps) code[at] |= (ulong)checked((byte)(_labels[label] - at - 1)) << 16;
        return code;
    }
}
