using System.Globalization;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Settings;

namespace KeepAlive.Linux.Launch;

/// <summary>
/// The process beside a launched program. Nobody's child, in a session of its own, deaf to what a terminal or a service
/// manager sends to stop the program, and gone with the program's last process.
/// </summary>
internal static unsafe class Supervisor
{
    /// <summary>The first word of its command line.</summary>
    public const string Word = "__supervise";

    internal const string StandbyWord = "__stand-by";

    private const int SIG_IGN = 1;
    private static readonly int[] StopSignals = [1, 2, 3, 15]; // HUP, INT, QUIT, TERM
    private static readonly TimeSpan LauncherPatience = TimeSpan.FromSeconds(30);

    /// <summary>Whether these are the arguments of such a process.</summary>
    public static bool IsAsked(IReadOnlyList<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        return arguments.Count > 0 && arguments[0] is Word or StandbyWord;
    }

    /// <summary>Does its work; returns when there is no more.</summary>
    public static void Run(IReadOnlyList<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        Detach();
        LaunchVia via = Enum.Parse<LaunchVia>(arguments[1]);
        var settings = SocketSettings.FromWord(arguments[2]);
        int program = Number(arguments[3]);
        if (arguments[0] == StandbyWord) StandBy(via, settings, program, arguments);
        else if (via == LaunchVia.Cgroup) WatchCgroup(settings, new Channel(new OwnedFd(Number(arguments[4]))), arguments[5]);
        else Answer(via, settings, program, new Channel(new OwnedFd(Number(arguments[4]))));
    }

    private static void Answer(LaunchVia via, SocketSettings settings, int program, Channel launcher)
    {
        launcher.Send(Launcher.Ready);
        if (launcher.Receive(out OwnedFd? listener, LauncherPatience) is null || listener is null) return;
        var supervisor = new SeccompSupervisor(new SeccompListener(listener), SeccompSupervisor.NewInHand(), settings, program, via);
        launcher.Send(Launcher.Ready);
        launcher.Dispose();
        supervisor.Run();
    }

    private static void StandBy(LaunchVia via, SocketSettings settings, int program, IReadOnlyList<string> arguments)
    {
        using var first = new Channel(new OwnedFd(Number(arguments[6])));
        var supervisor = new SeccompSupervisor(new SeccompListener(new OwnedFd(Number(arguments[4]))), new OwnedFd(Number(arguments[5])), settings, program, via);
        if (!supervisor.StandBy(first)) return;
        Say($"keepalive run: the supervisor of pid {program} was killed; its standby has taken over");
        supervisor.Run();
    }

    // The kernel does the work; this process looks for sockets from elsewhere, and removes the cgroup at the end.
    private static void WatchCgroup(SocketSettings settings, Channel launcher, string folder)
    {
        launcher.Send(Launcher.Ready);
        if (launcher.Receive(out _, LauncherPatience) is not null)
        {
            launcher.Send(Launcher.Ready);
            var sweep = new Sweep(settings, () => CgroupHook.Processes(folder));
            using var events = new OwnedFd(Errno.Check(Libc.open(Path.Combine(folder, "cgroup.events"), Libc.O_RDONLY | Libc.O_CLOEXEC), "open(cgroup.events)"));
            while (CgroupHook.IsPopulated(folder))
            {
                if (sweep.Wait == 0) sweep.Run();
                var entry = new PollEntry { Fd = events.Fd, Events = Libc.POLLPRI };
                _ = Libc.poll(&entry, 1, sweep.Wait);
            }
        }

        CgroupHook.Remove(folder);
    }

    private static void Detach()
    {
        _ = Libc.setsid();
        _ = Libc.chdir("/");
        foreach (int signal in StopSignals) _ = Libc.signal(signal, SIG_IGN);
        using var nothing = new OwnedFd(Errno.Check(Libc.open("/dev/null", Libc.O_RDWR | Libc.O_CLOEXEC), "open(/dev/null)"));
        _ = Libc.dup2(nothing.Fd, 0);
        _ = Libc.dup2(nothing.Fd, 1);
        // Whoever reads the program's errors from a pipe waits for its last writer: that must be the program.
        if (IsPipe("/proc/self/fd/2")) _ = Libc.dup2(nothing.Fd, 2);
    }

    private static bool IsPipe(string descriptor) => File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.Name.StartsWith("pipe:", StringComparison.Ordinal) ?? true;

    private static void Say(string line)
    {
        try
        {
            Console.Error.WriteLine(line);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody to tell.
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
