using System.Buffers.Binary;
using KeepAlive.Linux.Launch;
using KeepAlive.Linux.Native;

namespace KeepAlive.Tests.Linux;

/// <summary>The filter's verdicts, by a machine that runs its instructions as linux/filter.h describes them.</summary>
public sealed class SeccompFilterTests
{
    public static TheoryData<bool> Architectures => [true, false];

    [Theory]
    [MemberData(nameof(Architectures))]
    public void New_TCP_sockets_are_asked_about_and_nothing_else(bool x64)
    {
        Syscalls numbers = x64 ? Syscalls.X64 : Syscalls.Arm64;
        ulong[] filter = SeccompFilter.Build(numbers, SeccompAsks.Socket);
        foreach (ulong domain in (ulong[])[2, 10]) // AF_INET, AF_INET6
        {
            foreach (ulong type in (ulong[])[1, 1 | 0x80000, 1 | 0x800 | 0x80000]) // SOCK_STREAM, SOCK_CLOEXEC, SOCK_NONBLOCK
            {
                foreach (ulong protocol in (ulong[])[0, 6, 262]) // IPPROTO_TCP, IPPROTO_MPTCP
                    Assert.Equal(SeccompFilter.Ask, Run(filter, numbers.AuditArch, numbers.Socket, domain, type, protocol));
            }

            Assert.Equal(SeccompFilter.Allow, Run(filter, numbers.AuditArch, numbers.Socket, domain, 2, 0)); // SOCK_DGRAM
            Assert.Equal(SeccompFilter.Allow, Run(filter, numbers.AuditArch, numbers.Socket, domain, 3, 6)); // SOCK_RAW
            Assert.Equal(SeccompFilter.Allow, Run(filter, numbers.AuditArch, numbers.Socket, domain, 1, 132)); // IPPROTO_SCTP
        }

        Assert.Equal(SeccompFilter.Allow, Run(filter, numbers.AuditArch, numbers.Socket, 1, 1, 0)); // AF_UNIX
        Assert.Equal(SeccompFilter.Allow, Run(filter, numbers.AuditArch, numbers.Connect, 3));
        Assert.Equal(SeccompFilter.Allow, Run(filter, numbers.AuditArch, numbers.Listen, 3));
        // An int is the low half of its register; the kernel does not look at the rest either.
        Assert.Equal(SeccompFilter.Ask, Run(filter, numbers.AuditArch, numbers.Socket, 0xFFFFFFFF_00000002, 0xABCDEF_00000001, 0));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Connections_and_listeners_are_asked_about_where_sockets_are_borrowed(bool x64)
    {
        Syscalls numbers = x64 ? Syscalls.X64 : Syscalls.Arm64;
        ulong[] filter = SeccompFilter.Build(numbers, SeccompAsks.ConnectAndListen);
        Assert.Equal(SeccompFilter.Ask, Run(filter, numbers.AuditArch, numbers.Connect, 3));
        Assert.Equal(SeccompFilter.Ask, Run(filter, numbers.AuditArch, numbers.Listen, 3));
        Assert.Equal(SeccompFilter.Allow, Run(filter, numbers.AuditArch, numbers.Socket, 2, 1, 0));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Setting_keepalive_is_pretended_and_every_other_option_is_set(bool x64)
    {
        Syscalls numbers = x64 ? Syscalls.X64 : Syscalls.Arm64;
        foreach (SeccompAsks asks in (SeccompAsks[])[SeccompAsks.Socket, SeccompAsks.ConnectAndListen])
        {
            ulong[] filter = SeccompFilter.Build(numbers, asks);
            for (ulong level = 0; level < 300; level++)
            {
                for (ulong name = 0; name < 64; name++)
                {
                    bool isKeepAlive = (level == 1 && name == 9) || (level == 6 && name is 4 or 5 or 6 or 18 && level == 6);
                    Assert.Equal(isKeepAlive ? SeccompFilter.Pretend : SeccompFilter.Allow, Run(filter, numbers.AuditArch, numbers.Setsockopt, 3, level, name));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Every_other_call_and_every_other_ABI_is_let_through(bool x64)
    {
        Syscalls numbers = x64 ? Syscalls.X64 : Syscalls.Arm64;
        foreach (SeccompAsks asks in (SeccompAsks[])[SeccompAsks.Socket, SeccompAsks.ConnectAndListen])
        {
            ulong[] filter = SeccompFilter.Build(numbers, asks);
            int[] known = [numbers.Socket, numbers.Connect, numbers.Listen, numbers.Setsockopt];
            for (int number = 0; number < 600; number++)
            {
                if (!known.Contains(number)) Assert.Equal(SeccompFilter.Allow, Run(filter, numbers.AuditArch, number, 2, 1, 6));
                Assert.Equal(SeccompFilter.Allow, Run(filter, 0x40000003, number, 2, 1, 6)); // AUDIT_ARCH_I386
                Assert.Equal(SeccompFilter.Allow, Run(filter, numbers.AuditArch, number | 0x40000000, 2, 1, 6)); // x32
            }
        }
    }

    // struct seccomp_data: nr i32 | arch u32 | instruction pointer u64 | args u64[6]. Instructions: code u16 | jt u8 | jf u8 | k u32.
    private static uint Run(ulong[] program, uint arch, int number, params ReadOnlySpan<ulong> arguments)
    {
        Span<byte> data = stackalloc byte[64];
        data.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(data, number);
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], arch);
        for (int i = 0; i < arguments.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(data[(16 + (8 * i))..], arguments[i]);
        uint accumulator = 0;
        for (int at = 0; at < program.Length; at++)
        {
            (ushort code, byte whenTrue, byte whenFalse, uint k) = ((ushort)program[at], (byte)(program[at] >> 16), (byte)(program[at] >> 24), (uint)(program[at] >> 32));
            switch (code)
            {
                case 0x20: // BPF_LD | BPF_W | BPF_ABS
                    accumulator = BinaryPrimitives.ReadUInt32LittleEndian(data[(int)k..]);
                    break;
                case 0x54: // BPF_ALU | BPF_AND | BPF_K
                    accumulator &= k;
                    break;
                case 0x15: // BPF_JMP | BPF_JEQ | BPF_K
                    at += accumulator == k ? whenTrue : whenFalse;
                    break;
                case 0x06: // BPF_RET | BPF_K
                    return k;
                default:
                    throw new InvalidOperationException($"instruction {code:x} is none the filter uses");
            }
        }

        throw new InvalidOperationException("the program has no end");
    }
}
