using System.Runtime.InteropServices;

namespace KeepAlive.Linux.Native;

/// <summary>Syscall numbers of the two architectures this room is for (asm/unistd_64.h, asm-generic/unistd.h), and seccomp's name for it (linux/audit.h).</summary>
internal sealed record Syscalls(uint AuditArch, int Bpf, int Seccomp, int PidfdOpen, int PidfdGetfd, int Socket, int Connect, int Listen, int Setsockopt)
{
    public static readonly Syscalls X64 = new(0xC000003E, Bpf: 321, Seccomp: 317, PidfdOpen: 434, PidfdGetfd: 438, Socket: 41, Connect: 42, Listen: 50, Setsockopt: 54);
    public static readonly Syscalls Arm64 = new(0xC00000B7, Bpf: 280, Seccomp: 277, PidfdOpen: 434, PidfdGetfd: 438, Socket: 198, Connect: 203, Listen: 201, Setsockopt: 208);

    /// <summary>This machine's; null where it is neither.</summary>
    public static Syscalls? Here => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => X64,
        Architecture.Arm64 => Arm64,
        _ => null,
    };
}
