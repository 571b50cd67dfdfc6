using System.Diagnostics;
using System.Globalization;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Settings;

namespace KeepAlive.Linux.Launch;

/// <summary>
/// Answers a program's calls for sockets until the last process under its filter has ended. A second process stands by
/// with the same listener: were the first killed and nobody else held it, each new socket of the program would fail with
/// ENOSYS (seccomp(2)).
/// </summary>
internal sealed unsafe class SeccompSupervisor
{
    // Calls are numbered as they are made; some are withdrawn before they are received.
    private const ulong NextCallsMax = 64;

    private readonly SeccompListener _listener;
    private readonly SocketSettings _settings;
    private readonly int _program;
    private readonly LaunchVia _via;
    private readonly SocketMaker _maker;
    private readonly ProgramTree _tree;
    private readonly Sweep _sweep;

    // The call being answered, for whoever takes over: a call that was received and not answered waits for ever.
    private readonly OwnedFd _inHand;
    private Channel? _standby;
    private long _standbyStarted;

    public SeccompSupervisor(SeccompListener listener, OwnedFd inHand, SocketSettings settings, int program, LaunchVia via)
    {
        _listener = listener;
        _inHand = inHand;
        _settings = settings;
        _program = program;
        _via = via;
        _maker = new SocketMaker(listener, settings);
        _tree = new ProgramTree(program);
        _sweep = new Sweep(settings, _tree.Processes);
    }

    public static OwnedFd NewInHand() => new(Errno.Check(Libc.memfd_create("keepalive-in-hand", 0), "memfd_create"));

    public void Run()
    {
        StartStandby();
        PollEntry* entries = stackalloc PollEntry[2];
        while (true)
        {
            entries[0] = new PollEntry { Fd = _listener.Fd.Fd, Events = Libc.POLLIN };
            entries[1] = new PollEntry { Fd = _standby?.Fd ?? -1, Events = Libc.POLLIN };
            if (Libc.poll(entries, 2, _sweep.Wait) < 0) continue; // EINTR
            if ((entries[0].Returned & Libc.POLLIN) != 0) Answer();
            else if (entries[0].Returned != 0) return; // POLLHUP: nobody is left to ask
            if (entries[1].Returned != 0) StartStandby();
            if (_sweep.Wait == 0) _sweep.Run();
        }
    }

    /// <summary>Waits until the one that answers has gone, and the program has not.</summary>
    /// <returns>Whether there is something to take over.</returns>
    public bool StandBy(Channel first)
    {
        PollEntry* entries = stackalloc PollEntry[2];
        while (true)
        {
            entries[0] = new PollEntry { Fd = _listener.Fd.Fd };
            entries[1] = new PollEntry { Fd = first.Fd, Events = Libc.POLLIN };
            if (Libc.poll(entries, 2, -1) < 0) continue;
            if (entries[0].Returned != 0) return false;
            if (entries[1].Returned == 0) continue;
            TakeOver();
            return true;
        }
    }

    private void Answer()
    {
        if (_listener.Receive() is not { } call) return;
        _ = Libc.pwrite(_inHand.Fd, &call, sizeof(Notification), 0);
        Answer(call);
    }

    // Answering what has been answered is in vain and does no harm. The next calls by number: the first may have been
    // killed when it had received one and not written it down; one that was not received is left as it is (seccomp.c, EINPROGRESS).
    private void TakeOver()
    {
        Notification call;
        if (Libc.pread(_inHand.Fd, &call, sizeof(Notification), 0) != sizeof(Notification)) return;
        Answer(call);
        for (ulong next = 1; next <= NextCallsMax; next++) _listener.Continue(call.Id + next);
    }

    private void Answer(in Notification call)
    {
        try
        {
            if (_via == LaunchVia.Seccomp && _maker.Make(call)) return;
            if (_via == LaunchVia.Pidfd) _maker.Borrow(call);
            else _tree.Add(SocketMaker.ProcessOf(call.Thread)); // so that the sweep finds the socket it will make itself
        }
        catch (Exception e) when (e is SyscallException or IOException or UnauthorizedAccessException or InvalidOperationException or FormatException)
        {
            // It has ended, or we have no right to it: the call goes on without us.
        }

        _listener.Continue(call.Id);
    }

    // Not in a loop: a standby that cannot start would be started for ever.
    private void StartStandby()
    {
        _standby?.Dispose();
        _standby = null;
        if (_standbyStarted != 0 && Stopwatch.GetElapsedTime(_standbyStarted) < TimeSpan.FromSeconds(1)) return;
        _standbyStarted = Stopwatch.GetTimestamp();
        (Channel ours, Channel theirs) = Channel.Pair();
        using (theirs)
        {
            Libc.fcntl(_listener.Fd.Fd, Libc.F_SETFD, 0);
            Libc.fcntl(_inHand.Fd, Libc.F_SETFD, 0);
            DetachedProcess.Start([.. SelfCommand.Words, Supervisor.StandbyWord, Word(_via), _settings.ToWord(), Number(_program), Number(_listener.Fd.Fd), Number(_inHand.Fd), Number(theirs.Inheritable().Fd)]);
        }

        _standby = ours;
    }

    private static string Word(LaunchVia via) => via.ToString();

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
