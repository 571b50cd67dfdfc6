using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using KeepAlive.Core;

namespace KeepAlive.App.Events;

/// <summary>An event as journald takes it (systemd's "Native Journal Protocol"): fields, one after another.</summary>
internal static class JournalEntry
{
    /// <summary>Longer values are cut: an entry is one datagram, for which the kernel has no more than some 200 KB.</summary>
    public const int ValueBytesMax = 16 * 1024;

    private const string Identifier = "keepalive";

    // syslog(3).
    private const int Error = 3;
    private const int Warning = 4;
    private const int Noticed = 5;
    private const int Information = 6;
    private const int Detail = 7;

    /// <summary>The datagram.</summary>
    public static byte[] Of(ToldEvent e)
    {
        using var bytes = new MemoryStream();
        Add(bytes, "MESSAGE", e is ListeningTold ? EventText.Line(e) : AfterTime(EventText.Line(e)));
        Add(bytes, "PRIORITY", Number(Priority(e)));
        Add(bytes, "SYSLOG_IDENTIFIER", Identifier);
        switch (e)
        {
            case FlowTold(var flow, var gateway):
                Add(bytes, "KEEPALIVE_EVENT", EventText.KindName(flow.Kind));
                Add(bytes, "KEEPALIVE_GATEWAY", gateway);
                if (flow.Flow != 0) Add(bytes, "KEEPALIVE_FLOW", Number(flow.Flow));
                Add(bytes, "KEEPALIVE_LEG", flow.Leg?.Name());
                if (flow.Took is { } took) Add(bytes, "KEEPALIVE_TOOK_USEC", Number((long)took.TotalMicroseconds));
                break;
            case FactTold(var kind, var name, _):
                Add(bytes, "KEEPALIVE_EVENT", kind);
                Add(bytes, "KEEPALIVE_NAME", name);
                break;
            case ListeningTold listening:
                Add(bytes, "KEEPALIVE_EVENT", "listening");
                Add(bytes, "KEEPALIVE_GATEWAY", listening.Gateway);
                break;
        }

        return bytes.ToArray();
    }

    //  NAME=value\n                                    where the value has no line end
    //  NAME\n <length, 8 bytes, little-endian> value\n  where it has
    internal static void Add(Stream bytes, string name, string? value)
    {
        if (value is null) return;
        byte[] all = Encoding.UTF8.GetBytes(value);
        int length = Math.Min(all.Length, ValueBytesMax);
        while (length < all.Length && (all[length] & 0xC0) == 0x80) length--; // not in the midst of a character
        bytes.Write(Encoding.ASCII.GetBytes(name));
        if (all.AsSpan(0, length).Contains((byte)'\n'))
        {
            Span<byte> size = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(size, (ulong)length);
            bytes.WriteByte((byte)'\n');
            bytes.Write(size);
        }
        else
        {
            bytes.WriteByte((byte)'=');
        }

        bytes.Write(all.AsSpan(0, length));
        bytes.WriteByte((byte)'\n');
    }

    private static int Priority(ToldEvent e) => e switch
    {
        FlowTold { Event.Kind: FlowEventKind.Died or FlowEventKind.Refused } => Warning,
        FlowTold { Event.Kind: FlowEventKind.Notice or FlowEventKind.Tuned } => Noticed,
        FlowTold { Event.Kind: FlowEventKind.ProbeSent or FlowEventKind.ProbeAnswered or FlowEventKind.ProbeWithheld } => Detail,
        FactTold { What: "failed" } => Error,
        FactTold { What: "refused" or "lost" or "not-changed" } => Warning,
        FactTold { What: "notice" or "limited" } => Noticed,
        _ => Information,
    };

    // The journal has its own.
    private static string AfterTime(string line) => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..];

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
