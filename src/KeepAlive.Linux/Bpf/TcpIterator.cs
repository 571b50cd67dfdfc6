using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Settings;
using static KeepAlive.Linux.Native.SocketOption;

namespace KeepAlive.Linux.Bpf;

/// <summary>
/// The kernel's walk over all TCP sockets of a network namespace (bpf_iter_tcp, since 5.15): one read gives the real
/// options of every one, and can set them, without touching a process.
/// </summary>
internal static unsafe class TcpIterator
{
    public const int RecordBytes = 32;
    private const int BufferBytes = 1 << 20;

    // Helpers by number (linux/bpf.h).
    private const int MapLookup = 1;
    private const int GetSocketCookie = 46;
    private const int SetSockopt = 49;
    private const int GetSockopt = 57;
    private const int SeqWrite = 127;
    private const int SkcToTcpSock = 137;

    // The record on the program's stack: cookie u64 | keepalive | idle | interval | count | user timeout, i32 each | 0.
    private const int Record = -RecordBytes;
    private static readonly (int Level, int Name, int At)[] Options =
    [
        (SOL_SOCKET, SO_KEEPALIVE, Record + 8), (SOL_TCP, TCP_KEEPIDLE, Record + 12), (SOL_TCP, TCP_KEEPINTVL, Record + 16),
        (SOL_TCP, TCP_KEEPCNT, Record + 20), (SOL_TCP, TCP_USER_TIMEOUT, Record + 24),
    ];

    private static readonly Lazy<int> Function = new(() => KernelBtf.FindFunction(File.ReadAllBytes(KernelBtf.Path), "bpf_iter_tcp"), LazyThreadSafetyMode.PublicationOnly);

    /// <summary>The options of every socket of the calling thread's network namespace, by cookie.</summary>
    /// <exception cref="SyscallException">No right (CAP_BPF and CAP_PERFMON, or root), or the kernel lacks it.</exception>
    public static Dictionary<ulong, SocketOptions> Read() => Run(Program(null, []));

    private static BpfProgram Program(OwnedFd? chosen, IReadOnlyList<SocketSetting> settings)
    {
        var p = new BpfProgram();
        p.Move(Reg.R6, Reg.R1)
            .Load64(Reg.R1, Reg.R6, 8) // ctx->sk_common
            .JumpIfZero(Reg.R1, "next")
            .Call(SkcToTcpSock) // null for a request or TIME-WAIT
            .JumpIfZero(Reg.R0, "next")
            .Move(Reg.R7, Reg.R0)
            .Move(Reg.R1, Reg.R7)
            .Call(GetSocketCookie)
            .Store64(Reg.Fp, Record, Reg.R0);
        if (chosen is not null) p.LoadMap(Reg.R1, chosen.Fd).Move(Reg.R2, Reg.Fp).AddTo(Reg.R2, Record).Call(MapLookup).JumpIfZero(Reg.R0, "next");
        foreach (SocketSetting setting in settings)
        {
            p.Store32(Reg.Fp, Record + 8, setting.Value).Move(Reg.R1, Reg.R7).Move(Reg.R2, setting.Level).Move(Reg.R3, setting.Name)
                .Move(Reg.R4, Reg.Fp).AddTo(Reg.R4, Record + 8).Move(Reg.R5, 4).Call(SetSockopt);
        }

        int option = 0;
        foreach ((int level, int name, int at) in Options)
        {
            string read = $"read{option++}";
            p.Store32(Reg.Fp, at, -1).Move(Reg.R1, Reg.R7).Move(Reg.R2, level).Move(Reg.R3, name)
                .Move(Reg.R4, Reg.Fp).AddTo(Reg.R4, at).Move(Reg.R5, 4).Call(GetSockopt)
                .JumpIfZero(Reg.R0, read).Store32(Reg.Fp, at, -1).Label(read);
        }

        return p.Store32(Reg.Fp, Record + 28, 0)
            .Load64(Reg.R1, Reg.R6, 0).Load64(Reg.R1, Reg.R1, 0) // ctx->meta->seq
            .Move(Reg.R2, Reg.Fp).AddTo(Reg.R2, Record).Move(Reg.R3, RecordBytes).Call(SeqWrite)
            .Label("next").Exit(0);
    }

    /// <summary>Sets the options on the sockets of these cookies and reads them back.</summary>
    public static Dictionary<ulong, SocketOptions> Set(ReadOnlySpan<ulong> cookies, IReadOnlyList<SocketSetting> settings)
    {
        using OwnedFd chosen = BpfCalls.SetOf(cookies);
        return Run(Program(chosen, settings));
    }

    private static Dictionary<ulong, SocketOptions> Run(BpfProgram program)
    {
        if (Function.Value == 0) throw new SyscallException("bpf_iter_tcp", Errno.ENOENT, "this kernel has no TCP iterator (Linux 5.15 has)");
        using OwnedFd loaded = BpfCalls.Load(program.Assemble(), BpfCalls.ProgTypeTracing, BpfCalls.AttachTraceIter, Function.Value);
        using OwnedFd iterator = BpfCalls.Iterate(loaded);
        var found = new Dictionary<ulong, SocketOptions>();
        byte[] buffer = new byte[BufferBytes];
        while (true)
        {
            nint read;
            fixed (byte* b = buffer) read = Libc.read(iterator.Fd, b, buffer.Length);
            int errno = Marshal.GetLastPInvokeError();
            if (read < 0 && errno is Errno.EAGAIN or Errno.EINTR) continue;
            Errno.Check(read, "read(bpf_iter_tcp)");
            if (read == 0) return found;
            Parse(buffer.AsSpan(0, (int)read), found);
        }
    }

    /// <summary>Whole records; a part of one at the end is dropped.</summary>
    internal static void Parse(ReadOnlySpan<byte> records, Dictionary<ulong, SocketOptions> found)
    {
        for (; records.Length >= RecordBytes; records = records[RecordBytes..])
        {
            found[BinaryPrimitives.ReadUInt64LittleEndian(records)] =
                new SocketOptions(I32(records, 8), I32(records, 12), I32(records, 16), I32(records, 20), I32(records, 24));
        }
    }

    private static int I32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);
}
