using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace KeepAlive.App.Up;

/// <summary>Tells systemd how we are, where it asks to be told (sd_notify(3)): datagrams of NAME=VALUE lines to the socket in NOTIFY_SOCKET.</summary>
internal sealed class SystemdSocket : IDisposable
{
    private readonly Socket? _socket;

    public SystemdSocket()
        : this(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"), Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"), Environment.ProcessId)
    {
    }

    /// <param name="address">NOTIFY_SOCKET: a path, or an abstract name behind @.</param>
    /// <param name="watchdogUsec">WATCHDOG_USEC.</param>
    /// <param name="watchdogPid">WATCHDOG_PID: whom it is meant for.</param>
    /// <param name="pid">Our own number.</param>
    internal SystemdSocket(string? address, string? watchdogUsec, string? watchdogPid, int pid)
    {
        if (address is not { Length: > 1 } || address[0] is not ('/' or '@')) return;
        try
        {
            _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            _socket.Connect(new UnixDomainSocketEndPoint(address[0] == '@' ? "\0" + address[1..] : address));
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            CommandLine.Complain($"keepalive up: NOTIFY_SOCKET {address}: {e.Message}: systemd is not told how we are");
            _socket?.Dispose();
            _socket = null;
            return;
        }

        bool isMeant = string.IsNullOrEmpty(watchdogPid) || watchdogPid == pid.ToString(CultureInfo.InvariantCulture);
        if (isMeant && long.TryParse(watchdogUsec, NumberStyles.None, CultureInfo.InvariantCulture, out long usec) && usec > 0) WatchdogPeriod = TimeSpan.FromMicroseconds(usec) / 2;
    }

    /// <summary>How often it wants to hear that we are alive: half of what it waits (sd_watchdog_enabled(3)); null for never.</summary>
    public TimeSpan? WatchdogPeriod { get; }

    /// <summary>Whether it asks to be told.</summary>
    public bool IsThere => _socket is not null;

    /// <summary>All is as the configuration says.</summary>
    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>The configuration is read again; <see cref="Ready"/> follows, whatever comes of it.</summary>
    public void Reloading()
    {
        // Of CLOCK_MONOTONIC, which Stopwatch reads on Linux.
        long usec = (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds;
        Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={usec}"));
    }

    /// <summary>Another process is the unit's main one from now on: only that one is heard any more (NotifyAccess=main).</summary>
    public void HandOver(int pid) => Send(string.Create(CultureInfo.InvariantCulture, $"MAINPID={pid}"));

    public void Stopping() => Send("STOPPING=1");

    public void Alive() => Send("WATCHDOG=1");

    public void Dispose() => _socket?.Dispose();

    private void Send(string text)
    {
        try
        {
            _socket?.Send(Encoding.UTF8.GetBytes(text));
        }
        catch (SocketException)
        {
            // It is restarted, or gone: flows do not depend on it.
        }
    }
}
