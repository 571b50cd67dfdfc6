using System.Globalization;
using KeepAlive.Linux.Bpf;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Settings;
using static KeepAlive.Linux.Native.SocketOption;

namespace KeepAlive.Linux.Launch;

/// <summary>
/// A cgroup of its own for a launched program, with two BPF programs on it: one sets keepalive on every TCP connection
/// as it is established (sock_ops), one says yes to a program that sets it itself and does nothing (cgroup/setsockopt).
/// They live as long as the cgroup, whoever made it.
/// </summary>
internal static class CgroupHook
{
    private const string Prefix = "keepalive-run-";

    private const int ProgTypeSockOps = 13;
    private const int ProgTypeCgroupSockopt = 25;
    private const int AttachSockOps = 3;
    private const int AttachSetsockopt = 22;

    // linux/bpf.h: enum for bpf_sock_ops.op; struct bpf_sockopt.
    private const int ActiveEstablished = 4;
    private const int PassiveEstablished = 5;
    private const int TcpListen = 11;
    private const int OpAt = 0;
    private const int LevelAt = 24;
    private const int NameAt = 28;
    private const int LengthAt = 32;
    private const int Setsockopt = 49;

    /// <summary>Makes the cgroup below the one we are in, with the programs on it.</summary>
    /// <returns>Its folder.</returns>
    /// <exception cref="SyscallException">No right to BPF or the cgroup; the message says which.</exception>
    /// <exception cref="IOException">There is no cgroup v2 that we may write to.</exception>
    public static string Create(SocketSettings settings)
    {
        string parent = OwnFolder() ?? throw new IOException("no cgroup v2 is mounted");
        foreach (string left in Directory.EnumerateDirectories(parent, Prefix + "*").Where(IsLeft)) Remove(left);
        string folder = Path.Combine(parent, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}"));
        Directory.CreateDirectory(folder);
        try
        {
            using var cgroup = new OwnedFd(Errno.Check(Libc.open(folder, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC), $"open({folder})"));
            using OwnedFd setter = BpfCalls.Load(Setter(settings), ProgTypeSockOps, AttachSockOps);
            using OwnedFd keeper = BpfCalls.Load(Keeper(), ProgTypeCgroupSockopt, AttachSetsockopt);
            BpfCalls.Attach(setter, cgroup, AttachSockOps);
            BpfCalls.Attach(keeper, cgroup, AttachSetsockopt);
            return folder;
        }
        catch
        {
            Remove(folder);
            throw;
        }
    }

    /// <summary>Moves this process into it.</summary>
    public static void Enter(string folder) =>
        File.WriteAllText(Path.Combine(folder, "cgroup.procs"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    /// <summary>Removes it, and with it the programs, if no process is in it.</summary>
    public static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Somebody is in it, or it is gone.
        }
    }

    /// <summary>Whether a process is in it or below it.</summary>
    public static bool IsPopulated(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "cgroup.events")).Contains("populated 1", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>The processes in it and below it.</summary>
    public static IEnumerable<int> Processes(string folder)
    {
        foreach (string list in Directory.EnumerateFiles(folder, "cgroup.procs", SearchOption.AllDirectories))
        {
            foreach (string line in File.ReadLines(list)) yield return int.Parse(line, CultureInfo.InvariantCulture);
        }
    }

    // Its supervisor was killed. One that is empty but whose launcher still runs is about to be entered.
    private static bool IsLeft(string folder) => !Directory.Exists("/proc/" + Path.GetFileName(folder)[Prefix.Length..]);

    // "0::/path" of /proc/self/cgroup below the mount of type cgroup2 (proc(5)); the path is as our cgroup namespace sees it.
    private static string? OwnFolder()
    {
        string? path = File.ReadLines("/proc/self/cgroup").FirstOrDefault(l => l.StartsWith("0::/", StringComparison.Ordinal))?[4..];
        string[]? mount = File.ReadLines("/proc/self/mountinfo").Select(l => l.Split(' ')).FirstOrDefault(IsCgroup2);
        return path is null || mount is null ? null : Path.Combine(mount[4].Replace("\\040", " ", StringComparison.Ordinal), path);
    }

    // "36 35 0:30 / /sys/fs/cgroup rw,... shared:9 - cgroup2 cgroup2 rw": the type stands behind a lone dash.
    private static bool IsCgroup2(string[] fields) => Array.IndexOf(fields, "-") is var dash and > 0 && dash + 1 < fields.Length && fields[dash + 1] == "cgroup2";

    private static ulong[] Setter(SocketSettings settings)
    {
        var p = new BpfProgram();
        p.Move(Reg.R6, Reg.R1).Load32(Reg.R1, Reg.R6, OpAt)
            .JumpIfEqual(Reg.R1, ActiveEstablished, "set").JumpIfEqual(Reg.R1, PassiveEstablished, "set").JumpIfEqual(Reg.R1, TcpListen, "set")
            .Exit(1).Label("set");
        foreach (SocketSetting setting in settings.Calls)
        {
            p.Store32(Reg.Fp, -8, setting.Value).Move(Reg.R1, Reg.R6).Move(Reg.R2, setting.Level).Move(Reg.R3, setting.Name)
                .Move(Reg.R4, Reg.Fp).AddTo(Reg.R4, -8).Move(Reg.R5, 4).Call(Setsockopt);
        }

        return p.Exit(1).Assemble();
    }

    // optlen -1 ends the call with success before the kernel looks at it (bpf-helpers: cgroup/setsockopt).
    private static ulong[] Keeper()
    {
        var p = new BpfProgram();
        p.Load32(Reg.R2, Reg.R1, LevelAt).Load32(Reg.R3, Reg.R1, NameAt)
            .JumpIfEqual(Reg.R2, SOL_SOCKET, "sockets").JumpIfNot(Reg.R2, SOL_TCP, "leave");
        foreach (int name in (ReadOnlySpan<int>)[TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT]) p.JumpIfEqual(Reg.R3, name, "keep");
        return p.Exit(1)
            .Label("sockets").JumpIfNot(Reg.R3, SO_KEEPALIVE, "leave")
            .Label("keep").Store32(Reg.R1, LengthAt, -1)
            .Label("leave").Exit(1).Assemble();
    }
}
