using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeepAlive.Linux.Bpf;
using KeepAlive.Linux.Native;

namespace KeepAlive.Bench.Load;

/// <summary>
/// A relay inside the kernel: a BPF sockmap whose program sends every packet on by the other socket. Here to be measured: it is
/// fast, holds no sender back, and knows no end, so whether all has been sent on is asked of the kernel's counters.
/// </summary>
internal static unsafe class SockmapRelay
{
    private const int MapCreate = 0, MapUpdate = 2, ProgAttach = 8;
    private const int SockHash = 18, SkSkb = 14, StreamVerdict = 5;
    private const int SocketCookie = 46, RedirectHash = 72;
    private const short PollRdHup = 0x2000;
    private const int FlowsMax = 10_000;
    private const int AttrBytes = 144;

    public static int Run(int listen, int to)
    {
        int map = (int)Errno.Check(Call(MapCreate, (0, SockHash), (4, sizeof(ulong)), (8, sizeof(int)), (12, 2 * FlowsMax)), "bpf(MAP_CREATE)");
        using OwnedFd program = BpfCalls.Load(new BpfProgram()
            .Move(Reg.R6, Reg.R1).Call(SocketCookie).Store64(Reg.Fp, -8, Reg.R0)
            .Move(Reg.R1, Reg.R6).LoadMap(Reg.R2, map).Move(Reg.R3, Reg.Fp).AddTo(Reg.R3, -8).Move(Reg.R4, 0)
            .Call(RedirectHash).Return().Assemble(), SkSkb, StreamVerdict);
        Errno.Check(Call(ProgAttach, (0, map), (4, program.Fd), (8, StreamVerdict)), "bpf(PROG_ATTACH)");
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, listen));
        listener.Listen(4096);
        while (true)
        {
            Socket client = listener.Accept(), server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            server.Connect(IPAddress.Loopback, to);
            client.NoDelay = server.NoDelay = true;
            if (!TryJoin(map, client, server) || !TryJoin(map, server, client))
            {
                client.Dispose(); // it has gone already
                server.Dispose();
                continue;
            }

            // What came before is read once: the program sees it then.
            client.Blocking = false;
            _ = client.Receive(new byte[1], 0, 1, SocketFlags.Peek, out _);
            foreach ((Socket from, Socket other) in ((Socket, Socket)[])[(client, server), (server, client)])
                new Thread(() => WaitForEnd(from, other)) { IsBackground = true }.Start();
        }
    }

    private static bool TryJoin(int map, Socket from, Socket to)
    {
        ulong cookie = 0;
        int fd = (int)to.Handle;
        from.GetRawSocketOption(1, 57, MemoryMarshal.AsBytes(new Span<ulong>(ref cookie))); // SOL_SOCKET, SO_COOKIE
        return Call(MapUpdate, (0, map), (8, (long)&cookie), (16, (long)&fd)) == 0;
    }

    private static void WaitForEnd(Socket from, Socket to)
    {
        try
        {
            var end = new PollEntry { Fd = (int)from.Handle, Events = PollRdHup };
            while (Libc.poll(&end, 1, -1) < 0 || (end.Returned & PollRdHup) == 0) Thread.Sleep(1);

            // A FIN is not redirected, and overtakes what was: bytes received, less the FIN, against bytes sent for the first time or waiting.
            while (Info(to, 200) - Info(to, 208) + (Info(to, 144) & uint.MaxValue) < Info(from, 128) - 1) Thread.Sleep(1);
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            from.Dispose();
            to.Dispose();
        }
    }

    // struct tcp_info of linux/tcp.h: 128 bytes_received, 144 notsent_bytes (u32), 200 bytes_sent, 208 bytes_retrans.
    private static long Info(Socket socket, int at)
    {
        Span<byte> info = stackalloc byte[216];
        socket.GetRawSocketOption(6, 11, info);
        return BinaryPrimitives.ReadInt64LittleEndian(info[at..]);
    }

    private static nint Call(int command, params ReadOnlySpan<(int At, long Value)> fields)
    {
        byte* attr = stackalloc byte[AttrBytes];
        new Span<byte>(attr, AttrBytes).Clear();
        // Numbers come in 4 bytes, addresses in 8; all are below 2^31 or in a field of 8.
        foreach ((int at, long value) in fields)
        {
            if (value <= int.MaxValue) *(int*)(attr + at) = (int)value;
            else *(long*)(attr + at) = value;
        }

        return Libc.syscall(Syscalls.Here!.Bpf, command, (nint)attr, AttrBytes, 0, 0);
    }
}
