using System.Buffers.Binary;

namespace KeepAlive.Protocols.MySql;

/// <summary>The first bytes of a packet, and what they tell (MySQL internals, "Client/Server Protocol").</summary>
internal readonly ref struct MySqlPacket
{
    //  3, least first   1          length
    // +----------------+----------+---------+
    // | length         | sequence | payload |
    // +----------------+----------+---------+
    public const int HeadBytes = 4;
    public const int LengthMax = 0xFFFFFF;

    public const byte Ok = 0x00;
    public const byte LocalInfile = 0xFB;
    public const byte Eof = 0xFE;
    public const byte Error = 0xFF;

    /// <summary>What a client is told that cannot be served: ER_CON_COUNT_ERROR, which says "Too many connections".</summary>
    public static readonly byte[] Refusal = [23, 0, 0, 0, Error, 0x10, 0x04, .. "Too many connections"u8];

    private readonly ReadOnlySpan<byte> _frame;

    public MySqlPacket(ReadOnlySpan<byte> frame) => _frame = frame;

    public int Length => _frame[0] | (_frame[1] << 8) | (_frame[2] << 16);

    public byte Sequence => _frame[3];

    public ReadOnlySpan<byte> Payload => _frame[HeadBytes..];

    /// <summary>The payload's first byte; 0 for none.</summary>
    public byte Kind => _frame.Length > HeadBytes ? _frame[HeadBytes] : (byte)0;

    /// <summary>An EOF, or the OK that takes its place: a row that begins so has 16 MB.</summary>
    public bool IsEof(bool isDeprecated) => Kind == Eof && Length < (isDeprecated ? LengthMax : 9) && Length > 0;

    /// <summary>MariaDB tells of progress by errors that are none.</summary>
    public bool IsProgress => Kind == Error && Payload is [_, 0xFF, 0xFF, ..];

    /// <summary>How many rows a statement changed, the session's state and how many warnings there are, from an OK or an EOF.</summary>
    public MySqlStatus? Status(bool isEof)
    {
        if (Payload.IsEmpty) return null;
        ReadOnlySpan<byte> at = Payload[1..];
        if (isEof) return at.Length < 4 ? null : new MySqlStatus(0, BinaryPrimitives.ReadUInt16LittleEndian(at[2..]), BinaryPrimitives.ReadUInt16LittleEndian(at));
        if (Number(ref at) is not { } rows || Number(ref at) is null || at.Length < 4) return null;
        return new MySqlStatus(rows, BinaryPrimitives.ReadUInt16LittleEndian(at), BinaryPrimitives.ReadUInt16LittleEndian(at[2..]));
    }

    /// <summary>A length-encoded number; null when it is none.</summary>
    public static ulong? Number(ref ReadOnlySpan<byte> at)
    {
        if (at.IsEmpty) return null;
        int more = at[0] switch { < 0xFB => 0, 0xFC => 2, 0xFD => 3, 0xFE => 8, _ => -1 };
        if (more < 0 || at.Length < 1 + more) return null;
        ulong value = more == 0 ? at[0] : 0UL;
        for (int i = 0; i < more; i++) value |= (ulong)at[1 + i] << (8 * i);
        at = at[(1 + more)..];
        return value;
    }
}

/// <summary>What an answer says beside its answer.</summary>
/// <param name="Rows">How many were changed.</param>
/// <param name="Flags">The session's.</param>
/// <param name="Warnings">How many there are.</param>
internal readonly record struct MySqlStatus(ulong Rows, ushort Flags, ushort Warnings)
{
    public bool IsInTransaction => (Flags & 0x0001) != 0;

    public bool HasMoreResults => (Flags & 0x0008) != 0;

    public bool HasCursor => (Flags & 0x0040) != 0;
}
