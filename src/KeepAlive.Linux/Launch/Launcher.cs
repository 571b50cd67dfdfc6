using System.Globalization;
using System.Runtime.InteropServices;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Processes;
using KeepAlive.Linux.Settings;

namespace KeepAlive.Linux.Launch;

/// <summary>How keepalive is forced on a program's sockets.</summary>
public enum LaunchVia
{
    /// <summary>The first of the others that works here.</summary>
    Auto,

    /// <summary>A cgroup of its own with BPF programs on it: root, or CAP_BPF, CAP_NET_ADMIN and a cgroup v2 to write to.</summary>
    Cgroup,

    /// <summary>A seccomp filter that asks a supervisor, which makes the sockets (Linux 5.14). No rights needed.</summary>
    Seccomp,

    /// <summary>A seccomp filter that asks a supervisor, which borrows the sockets (Linux 5.6). Needs ptrace access to the program.</summary>
    Pidfd,
}

/// <summary>The program could not be started; the message says what to do.</summary>
/// <param name="message">One line.</param>
/// <param name="exitCode">127: no such program; 126: it cannot be executed; 1: keepalive cannot be forced here (env(1), nohup(1)).</param>
internal sealed class LaunchException(string message, int exitCode) : Exception(message)
{
    /// <summary>What to exit with.</summary>
    public int ExitCode { get; } = exitCode;
}

/// <summary>
/// Becomes another program with keepalive forced on its TCP sockets: same pid, same terminal, same descriptors, so
/// signals and exit code need nobody to pass them on.
/// </summary>
/// <remarks>
/// <code>
/// launcher                                supervisor (detached)
///    | fork, fork, exec ----------------->  |
///    | &lt;----------------------------- ready |
///    | seccomp(filter), or into the cgroup  |
///    | the filter's listener -------------> |
///    | &lt;----------------------------- ready |
///    | execvp(program)                      | answers until the last process of the program has ended
/// </code>
/// </remarks>
internal static unsafe class Launcher
{
    internal const byte Ready = (byte)'r';

    private static readonly Version AddFdSend = new(5, 14);
    private static readonly TimeSpan SupervisorPatience = TimeSpan.FromSeconds(30);

    /// <summary>Becomes the program. Returns only by exception.</summary>
    /// <param name="settings">What to force.</param>
    /// <param name="via">How.</param>
    /// <param name="command">The program, looked for in PATH, and its arguments.</param>
    /// <exception cref="LaunchException">It could not.</exception>
    public static void Become(SocketSettings settings, LaunchVia via, IReadOnlyList<string> command)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(command);
        string? whyNoCgroup = null;
        bool entered = via is LaunchVia.Auto or LaunchVia.Cgroup && TryCgroup(settings, out whyNoCgroup);
        if (!entered && via == LaunchVia.Cgroup) throw new LaunchException($"--via cgroup: {whyNoCgroup}", 1);
        if (!entered) Filter(settings, via == LaunchVia.Pidfd || Environment.OSVersion.Version < AddFdSend ? LaunchVia.Pidfd : LaunchVia.Seccomp, whyNoCgroup);
        Execute(command);
    }

    private static bool TryCgroup(SocketSettings settings, out string? why)
    {
        string? folder = null;
        try
        {
            folder = CgroupHook.Create(settings);
            using Channel supervisor = StartSupervisor(settings, LaunchVia.Cgroup, folder);
            CgroupHook.Enter(folder);
            Hand(supervisor, null);
            why = null;
            return true;
        }
        catch (Exception e) when (e is SyscallException or IOException or UnauthorizedAccessException)
        {
            if (folder is not null) CgroupHook.Remove(folder);
            why = e.Message;
            return false;
        }
    }

    private static void Filter(SocketSettings settings, LaunchVia via, string? whyNoCgroup)
    {
        Syscalls numbers = Syscalls.Here ?? throw new LaunchException($"{RuntimeInformation.ProcessArchitecture} is not known here: x86-64 and arm64 are", 1);
        try
        {
            using Channel supervisor = StartSupervisor(settings, via);
            // From here on this thread's own sockets would be asked about as well: it makes none.
            using var listener = SeccompListener.Install(SeccompFilter.Build(numbers, via == LaunchVia.Seccomp ? SeccompAsks.Socket : SeccompAsks.ConnectAndListen));
            Hand(supervisor, listener.Fd);
        }
        catch (SyscallException e)
        {
            string why = e.Errno switch
            {
                Errno.EBUSY => "another supervisor listens to this process already (a keepalive run around this one, or a container's sandbox), and the kernel allows one",
                Errno.EINVAL or Errno.ENOSYS => $"this kernel has no seccomp user notification (Linux 5.0 with CONFIG_SECCOMP_FILTER): {e.Message}",
                Errno.EPERM => $"seccomp is forbidden here, by a container's own filter it may be: {e.Message}",
                _ => e.Message,
            };
            throw new LaunchException(why + (whyNoCgroup is null ? "" : $"; nor is a cgroup possible: {whyNoCgroup}"), 1);
        }
    }

    private static Channel StartSupervisor(SocketSettings settings, LaunchVia via, params string[] more)
    {
        (Channel ours, Channel theirs) = Channel.Pair();
        using (theirs)
        {
            string[] words = [Supervisor.Word, via.ToString(), settings.ToWord(), Number(Environment.ProcessId), Number(theirs.Inheritable().Fd)];
            DetachedProcess.Start([.. SelfCommand.Words, .. words, .. more]);
        }

        Hear(ours);
        return ours;
    }

    private static void Hand(Channel supervisor, OwnedFd? listener)
    {
        supervisor.Send(Ready, listener);
        Hear(supervisor);
    }

    private static void Hear(Channel supervisor)
    {
        if (supervisor.Receive(out _, SupervisorPatience) is null)
            throw new LaunchException($"its supervisor ended before it began, or did not begin within {SupervisorPatience.TotalSeconds:0} s", 1);
    }

    private static void Execute(IReadOnlyList<string> command)
    {
        _ = Libc.signal(Libc.SIGPIPE, 0); // the runtime ignores it, which exec would pass on
        RestoreDescriptorLimit();
        RemoveDiagnosticPort();
        using var arguments = new Arguments(command);
        _ = Libc.execvp(arguments.Vector[0], arguments.Vector);
        int errno = Marshal.GetLastPInvokeError();
        throw new LaunchException($"{command[0]}: {Marshal.GetPInvokeErrorMessage(errno)}", errno == Errno.ENOENT ? 127 : 126);
    }

    // The runtime raises the soft limit to the hard one before any code of ours, which exec would pass on, and programs that
    // use select(2) or close every possible descriptor do not like that. What it was is told nowhere, but it is inherited:
    // as it is in the process that started us, where that is lower.
    private static void RestoreDescriptorLimit()
    {
        ResourceLimit parent, own;
        if (Libc.prlimit(Libc.getppid(), Libc.RLIMIT_NOFILE, null, &parent) != 0) return;
        if (Libc.prlimit(0, Libc.RLIMIT_NOFILE, null, &own) != 0 || parent.Soft >= own.Soft) return;
        own.Soft = parent.Soft;
        _ = Libc.prlimit(0, Libc.RLIMIT_NOFILE, &own, null);
    }

    // The runtime removes its debugger's pipes and its diagnostic socket when it ends, and exec is no end to it. They are
    // named after the process and its start; one of the same number but of another start is not ours, nor may it be removable.
    private static void RemoveDiagnosticPort()
    {
        if (ProcessStat.Of(Environment.ProcessId) is not { } self) return;
        string own = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{self.Started}");
        foreach (string name in (string[])[$"clr-debug-pipe-{own}-in", $"clr-debug-pipe-{own}-out", $"dotnet-diagnostic-{own}-socket"])
            File.Delete(Path.Combine(Path.GetTempPath(), name));
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
