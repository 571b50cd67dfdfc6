using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeepAlive.App.Events;
using KeepAlive.Linux.Handover;
using KeepAlive.Linux.Native;

namespace KeepAlive.App.Up;

/// <summary>
/// How one process of the daemon follows another without a client noticing. Each of the two can end at any line: until
/// "ready" the old one serves as if nothing had been.
/// </summary>
/// <remarks>
/// <code>
/// old                                          new
///  | &lt;------------------------------------ take |  up --upgrade, or SIGUSR2 to the old one, which starts it
///  | listener A:P NAME, the socket ---------> |  one for each gateway
///  | done ----------------------------------> |
///  | goes on to accept                        |  reads the file, listens where nobody did, accepts as well
///  | &lt;----------------------------------- ready |
///  | accepts no more, MAINPID to systemd      |
///  | yours ---------------------------------> |  asks to be asked from now on
///  | ends with its last flow                  |
/// </code>
/// </remarks>
internal sealed class Succession : IDisposable
{
    public const string UpgradeOption = "--upgrade";

    private const int SIGUSR2 = 12;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ControlPlace _place;
    private readonly DaemonEvents _events;
    private readonly LifeRecord _life;
    private readonly bool _isSuccessor;
    private readonly PosixSignalRegistration? _signal;
    private HandoverChannel? _before;
    private ControlSocket? _control;
    private bool _isOver;

    public Succession(ControlPlace place, DaemonEvents events, bool isSuccessor)
    {
        (_place, _events, _isSuccessor) = (place, events, isSuccessor);
        _life = new LifeRecord(place, events);
        if (!OperatingSystem.IsLinux()) return;
        Successor.Remember();
        // systemd's watchdog is for the unit's main process (sd_watchdog_enabled(3)), which it named when that was the one before.
        if (isSuccessor) Environment.SetEnvironmentVariable("WATCHDOG_PID", null);
        else Passed.AddActivated();
        _signal = PosixSignalRegistration.Create((PosixSignal)SIGUSR2, context =>
        {
            context.Cancel = true;
            StartSuccessor();
        });
    }

    /// <summary>Listeners that were opened before this process.</summary>
    public PassedListeners Passed { get; } = new();

    /// <summary>Lets go of what else listens and binds by itself: told when the successor accepts, before it is told that all is its own.</summary>
    public Func<Task> GiveUp { get; set; } = () => Task.CompletedTask;

    /// <summary>Whether the process before still holds what it will let go of.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>Done when a successor asks.</summary>
    public Task Asked => _control?.Asked ?? Never;

    private static Task Never { get; } = new TaskCompletionSource().Task;

    /// <summary>Asks the process before for its listeners, where this one is a successor.</summary>
    /// <returns>Why it cannot be one; null when it is, or need not be.</returns>
    public async Task<string?> InheritAsync()
    {
        if (!_isSuccessor) return null;
        if (_place.Socket is not { } path) return $"{UpgradeOption}: there is no place for the control socket: XDG_RUNTIME_DIR is not set";
        _before = ControlSocket.Dial(path);
        IsWaiting = _before is not null;
        if (_before is null) return $"{UpgradeOption}: no 'keepalive up' of this user and this file runs (nobody answers at {path}): start without it";
        try
        {
            _before.Send("take");
            while (await _before.ReceiveAsync(Patience).ConfigureAwait(false) is { } handed)
            {
                if (PassedListener.Of(handed) is { } listener) Passed.Add(listener);
                else if (handed.Word == "done") return null;
                else return $"{UpgradeOption}: pid {_before.Peer.Pid} does not hand over: {handed.Word}";
            }
        }
        catch (SyscallException)
        {
            // It has ended.
        }

        return $"{UpgradeOption}: pid {_before.Peer.Pid} has ended, or does not answer";
    }

    /// <summary>All gateways accept: the process before lets go, and a successor can ask here.</summary>
    public async Task EstablishAsync()
    {
        Passed.CloseUnused();
        if (_before is not null)
        {
            try
            {
                _before.Send("ready");
                if ((await _before.ReceiveAsync(Patience).ConfigureAwait(false))?.Word == "yours") _events.Tell("upgraded", null, $"pid {_before.Peer.Pid} has handed over; it ends with its last flow");
                else _events.Tell("notice", null, $"pid {_before.Peer.Pid} ended before it had let go: its flows are lost, the gateways go on here");
            }
            catch (SyscallException)
            {
                _events.Tell("notice", null, $"pid {_before.Peer.Pid} ended before it had let go: its flows are lost, the gateways go on here");
            }

            _before.Dispose();
        }

        IsWaiting = false;
        _life.TellLost();
        Open();
    }

    /// <summary>Keeps for the next start how it stands.</summary>
    public void Look(RunningGateways gateways) => _life.Write(gateways);

    /// <summary>Hands the listeners over, whoever has asked.</summary>
    /// <param name="gateways">Whose listeners.</param>
    /// <param name="systemd">Told whose the unit is from now on, and meanwhile that we are alive.</param>
    /// <param name="stop">Done when we are told to stop, which goes first.</param>
    /// <returns>Whether the successor has them; otherwise all is as it was.</returns>
    public async Task<bool> HandOverAsync(RunningGateways gateways, SystemdSocket systemd, Task stop)
    {
        HandoverChannel channel = await _control!.Asked.ConfigureAwait(false);
        bool isAsked = false;
        try
        {
            if (await HearAsync(channel, systemd, stop).ConfigureAwait(false) == "take")
            {
                isAsked = true;
                if (WhyNot(channel, gateways, systemd) is { } why)
                {
                    channel.Send(why);
                    _events.Tell("refused", null, $"pid {channel.Peer.Pid} cannot take over: {why}");
                    return false;
                }

                foreach (PassedListener lasting in Passed.Lasting) channel.Send(PassedListener.Word("lasting", lasting.Listen, lasting.Name), lasting.Socket.SafeHandle);
                gateways.HandTo(channel);
                channel.Send("done");
                if (await HearAsync(channel, systemd, stop).ConfigureAwait(false) == "ready")
                {
                    _isOver = true;
                    await gateways.AcceptNoMoreAsync().ConfigureAwait(false);
                    await GiveUp().ConfigureAwait(false);
                    systemd.HandOver(channel.Peer.Pid);
                    _control.Leave();
                    _events.Tell("upgraded", null, $"pid {channel.Peer.Pid} accepts from now on; {gateways.Flows} flow(s) live on here until they end");
                    channel.Send("yours");
                    return true;
                }
            }
        }
        catch (SyscallException)
        {
            if (_isOver) return true; // it was ready, and that it does not listen to us is no reason to go back
        }
        finally
        {
            if (!_isOver) _control.Done();
            else channel.Dispose();
        }

        gateways.Reclaim();
        if (isAsked) _events.Tell("refused", null, $"pid {channel.Peer.Pid} ended before it was ready to take over: nothing was changed, what was in force goes on");
        return false;
    }

    public void Dispose()
    {
        _signal?.Dispose();
        _before?.Dispose();
        _control?.Dispose();
        _life.Dispose();
    }

    private static string? WhyNot(HandoverChannel channel, RunningGateways gateways, SystemdSocket systemd)
    {
        if (gateways.FirstWithPassiveRange is { } ranged) return $"{ranged} has a passiveRange, whose ports cannot be handed over: restart";
        return systemd.IsThere && !UnitProcess.IsOfOurs(channel.Peer.Pid) ? "this one runs under systemd, and the other one does not: 'keepalive service upgrade', or SIGUSR2" : null;
    }

    // What is said within the time there is; meanwhile systemd hears that we are alive.
    private static async Task<string?> HearAsync(HandoverChannel channel, SystemdSocket systemd, Task stop)
    {
        Task<Handed?> heard = channel.ReceiveAsync(Patience);
        while (await Task.WhenAny(heard, stop, Task.Delay(systemd.WatchdogPeriod ?? Patience)).ConfigureAwait(false) != heard)
        {
            systemd.Alive();
            if (!stop.IsCompleted) continue;
            channel.HangUp();
            break;
        }

        return (await heard.ConfigureAwait(false))?.Word;
    }

    private void Open()
    {
        if (_place.Socket is not { } path)
        {
            if (OperatingSystem.IsLinux()) _events.Tell("notice", null, "XDG_RUNTIME_DIR is not set: there is no place for the control socket, so this process cannot be upgraded without dropping flows");
            return;
        }

        try
        {
            _place.Make();
            if (_before is null && ControlSocket.Dial(path) is { } other)
            {
                _events.Tell("notice", null, $"pid {other.Peer.Pid} runs by this file already: this process cannot be upgraded; '{UpgradeOption}' would have taken over");
                other.Dispose();
                return;
            }

            _control = ControlSocket.Open(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException or ArgumentException)
        {
            _events.Tell("notice", null, $"{path}: {e.Message}: this process cannot be upgraded without dropping flows");
        }
    }

    private void StartSuccessor()
    {
        if (_isOver) return;
        try
        {
            Successor.Start(UpgradeOption);
        }
        catch (Exception e) when (e is SyscallException or IOException)
        {
            _events.Tell("refused", null, $"the program could not be started again: {e.Message}: nothing was changed");
        }
    }
}
