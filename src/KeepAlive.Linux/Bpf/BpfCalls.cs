using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Bpf;

/// <summary>bpf(2), by its commands. Attributes are laid out by hand: offsets are those of <c>union bpf_attr</c> in linux/bpf.h.</summary>
internal static unsafe class BpfCalls
{
    public const int ProgTypeTracing = 26;
    public const int AttachTraceIter = 28;
    public const int MapTypeHash = 1;

    private const int AttrBytes = 144;
    private const int MapCreate = 0;
    private const int ProgLoad = 5;
    private const int ProgAttach = 8;
    private const int AllowMulti = 2; // BPF_F_ALLOW_MULTI: beside programs of others, above and below
    private const int MapUpdateBatch = 26;
    private const int LinkCreate = 28;
    private const int IterCreate = 33;

    /// <summary>Loads a program; the verifier's words are in the exception.</summary>
    public static OwnedFd Load(ulong[] code, int type, int attachType, int attachBtfId = 0)
    {
        byte[] log = new byte[16 * 1024];
        fixed (ulong* insns = code)
        fixed (byte* license = "GPL\0"u8)
        fixed (byte* logBytes = log)
        {
            Span<byte> attr = stackalloc byte[AttrBytes];
            attr.Clear();
            Put32(attr, 0, type);
            Put32(attr, 4, code.Length);
            Put64(attr, 8, insns);
            Put64(attr, 16, license);
            Put32(attr, 68, attachType);
            Put32(attr, 108, attachBtfId);
            nint fd = Call(ProgLoad, attr);
            if (fd >= 0) return new OwnedFd(fd);
            int errno = Marshal.GetLastPInvokeError();
            if (errno is not (Errno.EINVAL or Errno.EACCES)) throw new SyscallException("bpf(PROG_LOAD)", errno);

            // Once more, this time asking the verifier why.
            Put32(attr, 24, 1);
            Put32(attr, 28, log.Length);
            Put64(attr, 32, logBytes);
            fd = Call(ProgLoad, attr);
            if (fd >= 0) return new OwnedFd(fd);
            throw new SyscallException("bpf(PROG_LOAD)", errno, LastLine(log));
        }
    }

    /// <summary>An iterator over what the program visits; reading it runs the program.</summary>
    public static OwnedFd Iterate(OwnedFd program)
    {
        Span<byte> attr = stackalloc byte[AttrBytes];
        attr.Clear();
        Put32(attr, 0, program.Fd);
        Put32(attr, 8, AttachTraceIter);
        using var link = new OwnedFd(Errno.Check(Call(LinkCreate, attr), "bpf(LINK_CREATE)"));
        attr.Clear();
        Put32(attr, 0, link.Fd);
        return new OwnedFd(Errno.Check(Call(IterCreate, attr), "bpf(ITER_CREATE)"));
    }

    /// <summary>Attaches a program to a cgroup, for as long as the cgroup is there.</summary>
    public static void Attach(OwnedFd program, OwnedFd cgroup, int attachType)
    {
        Span<byte> attr = stackalloc byte[AttrBytes];
        attr.Clear();
        Put32(attr, 0, cgroup.Fd);
        Put32(attr, 4, program.Fd);
        Put32(attr, 8, attachType);
        Put32(attr, 12, AllowMulti);
        Errno.Check(Call(ProgAttach, attr), "bpf(PROG_ATTACH)");
    }

    /// <summary>A hash map whose keys are these and whose values are all 1.</summary>
    public static OwnedFd SetOf(ReadOnlySpan<ulong> keys)
    {
        Span<byte> attr = stackalloc byte[AttrBytes];
        attr.Clear();
        Put32(attr, 0, MapTypeHash);
        Put32(attr, 4, sizeof(ulong));
        Put32(attr, 8, sizeof(uint));
        Put32(attr, 12, Math.Max(1, keys.Length));
        var map = new OwnedFd(Errno.Check(Call(MapCreate, attr), "bpf(MAP_CREATE)"));
        if (keys.IsEmpty) return map;
        uint[] ones = new uint[keys.Length];
        Array.Fill(ones, 1u);
        fixed (ulong* k = keys)
        fixed (uint* v = ones)
        {
            attr.Clear();
            Put64(attr, 16, k);
            Put64(attr, 24, v);
            Put32(attr, 32, keys.Length);
            Put32(attr, 36, map.Fd);
            Errno.Check(Call(MapUpdateBatch, attr), "bpf(MAP_UPDATE_BATCH)");
        }

        return map;
    }

    private static nint Call(int command, Span<byte> attr)
    {
        Syscalls numbers = Syscalls.Here ?? throw new SyscallException("bpf", Errno.ENOSYS, "x86-64 and arm64 only");
        fixed (byte* a = attr) return Libc.syscall(numbers.Bpf, command, (nint)a, AttrBytes, 0, 0);
    }

    private static void Put32(Span<byte> attr, int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(attr[at..], value);

    private static void Put64(Span<byte> attr, int at, void* value) => BinaryPrimitives.WriteUInt64LittleEndian(attr[at..], (ulong)value);

    private static string LastLine(byte[] log)
    {
        string text = Encoding.UTF8.GetString(log).TrimEnd('\0', '\n');
        string[] lines = text.Split('\n').Where(l => !l.StartsWith("processed ", StringComparison.Ordinal)).ToArray();
        return lines.Length == 0 ? "the verifier gave no reason" : lines[^1];
    }
}
