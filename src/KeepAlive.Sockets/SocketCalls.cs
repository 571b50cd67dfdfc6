using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeepAlive.Core;

namespace KeepAlive.Sockets;

/// <summary>The syscalls of one <see cref="KernelKeepAlive"/> call on one socket: performs steps, reads back, collects shortfalls.</summary>
internal sealed class SocketCalls(Socket socket, KernelOptionSet options)
{
    private readonly List<Shortfall> _shortfalls = [];

    // What SIO_KEEPALIVE_VALS accepted: it cannot be read back.
    private KeepAliveValsStep? _accepted;

    public bool IsListener()
    {
        try
        {
            return socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection) is not 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Keeps a shortfall. The latest on an option knows best what is in force, the first what was asked.</summary>
    public void Note(Shortfall shortfall)
    {
        int known = _shortfalls.FindIndex(s => s.Option == shortfall.Option);
        if (known < 0) _shortfalls.Add(shortfall);
        else _shortfalls[known] = shortfall with { Asked = _shortfalls[known].Asked };
    }

    public void Perform(PlanStep step)
    {
        switch (step)
        {
            case SwitchStep change:
                Try(KernelKeepAliveOption.Switch, change.On ? "on" : "off", "setsockopt(SO_KEEPALIVE)",
                    () => socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, change.On));
                break;
            case OptionStep { Option: var option, Value: var value }:
                Try(option.Which, option.Text(value), $"setsockopt({option.Name})",
                    () => socket.SetRawSocketOption(KernelOption.Level, option.Number, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in value))));
                break;
            case KeepAliveValsStep vals:
                PerformVals(vals);
                break;
        }
    }

    public KernelKeepAliveValues Read()
    {
        return new KernelKeepAliveValues
        {
            IsOn = ReadSwitch(),
            Idle = ReadDuration(options.Idle) ?? (_accepted is { } a ? TimeSpan.FromMilliseconds(a.IdleMs) : null),
            Interval = ReadDuration(options.Interval) ?? (_accepted is { } b ? TimeSpan.FromMilliseconds(b.IntervalMs) : null),
            Count = options.FixedCount ?? (options.Count is { } count && TryGet(count) is > 0 and var probes ? probes : null),
            UserTimeout = ReadDuration(options.UserTimeout),
        };
    }

    /// <summary>The values read back; a value the kernel took but holds differently becomes a shortfall too.</summary>
    public KernelKeepAliveReport Report(KeepAlivePlan plan, UserTimeoutPlan timeout)
    {
        KernelKeepAliveValues effective = Read();
        foreach (PlanStep step in plan.Steps) Compare(step);
        if (timeout.Step is { } set) Compare(set);
        return new KernelKeepAliveReport(effective, _shortfalls.Count == 0 ? [] : _shortfalls);

        void Compare(PlanStep step)
        {
            if (step is SwitchStep change && change.On != effective.IsOn)
                Contradict(KernelKeepAliveOption.Switch, change.On ? "on" : "off", change.On ? "off" : "on", "SO_KEEPALIVE");
            if (step is OptionStep { Option: var option, Value: var value } && TryGet(option) is { } held && held != value)
                Contradict(option.Which, option.Text(value), option.Text(held), option.Name);
        }
    }

    // A failed call has said so itself, with its reason.
    private void Contradict(KernelKeepAliveOption which, string set, string held, string name)
    {
        Shortfall? known = _shortfalls.Find(s => s.Option == which);
        if (known is { Effective: "unchanged" }) Note(known with { Effective = held });
        else Note(new Shortfall(which, set, held, $"the kernel took {name} {set} and reads back {held}"));
    }

    private bool Try(KernelKeepAliveOption which, string asked, string call, Action perform)
    {
        try
        {
            perform();
            return true;
        }
        catch (Exception e) when (e is SocketException or PlatformNotSupportedException)
        {
            string error = e is SocketException s ? $"{s.Message} (errno {s.NativeErrorCode})" : e.Message;
            Note(new Shortfall(which, asked, "unchanged", $"{call} failed: {error}"));
            return false;
        }
    }

    private void SetKeepAliveVals(KeepAliveValsStep vals)
    {
        if (!OperatingSystem.IsWindows()) throw new PlatformNotSupportedException("SIO_KEEPALIVE_VALS is Windows'");
        // struct tcp_keepalive { u_long onoff; u_long keepalivetime; u_long keepaliveinterval; } of mstcpip.h
        byte[] buffer = new byte[12];
        BinaryPrimitives.WriteUInt32LittleEndian(buffer, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.AsSpan(4), vals.IdleMs);
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.AsSpan(8), vals.IntervalMs);
        socket.IOControl(IOControlCode.KeepAliveValues, buffer, null);
    }

    private void PerformVals(KeepAliveValsStep vals)
    {
        if (Try(KernelKeepAliveOption.Idle, Milliseconds(vals.IdleMs), "WSAIoctl(SIO_KEEPALIVE_VALS)", () => SetKeepAliveVals(vals)))
        {
            _accepted = vals;
            return;
        }

        Shortfall failed = _shortfalls.First(known => known.Option == KernelKeepAliveOption.Idle);
        Note(failed with { Option = KernelKeepAliveOption.Interval, Asked = Milliseconds(vals.IntervalMs) });
    }

    private bool ReadSwitch()
    {
        try
        {
            return socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive) is not 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // Zero is "the system's value" for idle and interval on macOS, so not a number; for the user timeout it is the kernel's own limit.
    private TimeSpan? ReadDuration(KernelOption? option) => option is not null && TryGet(option) is { } value
        && (value > 0 || (value == 0 && options.UserTimeoutOff == 0 && option == options.UserTimeout)) ? value * option.Unit : null;

    private int? TryGet(KernelOption option)
    {
        int value = 0;
        try
        {
            Span<byte> bytes = MemoryMarshal.AsBytes(new Span<int>(ref value));
            return socket.GetRawSocketOption(KernelOption.Level, option.Number, bytes) == sizeof(int) ? value : null;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static string Milliseconds(uint value) => Duration.Format(TimeSpan.FromMilliseconds(value));
}
