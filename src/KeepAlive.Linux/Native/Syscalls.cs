using System.Runtime.InteropServices;

namespace KeepAlive.Linux.Native;

/// <summary>Syscall numbers of the two architectures this room is for (asm/unistd_64.h, asm-generic/unistd.h).</summary>
internal sealed record Syscalls(int Bpf, int PidfdOpen, int PidfdGetfd)
{
    public static readonly Syscalls X64 = new(Bpf: 321, PidfdOpen: 434, PidfdGetfd: 438);
    public static readonly Syscalls Arm64 = new(Bpf: 280, PidfdOpen: 434, PidfdGetfd: 438);

    /// <summary>This machine's; null where it is neither.</summary>
    public static Syscalls? Here => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => X64,
        Architecture.Arm64 => Arm64,
        _ => null,
    };
}
