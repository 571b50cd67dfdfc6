using System.Buffers.Binary;
using System.Text;

namespace KeepAlive.Linux.Bpf;

/// <summary>
/// The kernel's own type information (Documentation/bpf/btf.rst): read for the id of one function.
/// </summary>
/// <remarks>
/// <code>
/// magic u16 0xEB9F | version u8 | flags u8 | hdr_len u32 | type_off u32 | type_len u32 | str_off u32 | str_len u32
/// type: name_off u32 | info u32 (vlen 0-15, kind 24-28) | size or type u32 | by kind: vlen records
/// </code>
/// </remarks>
internal static class KernelBtf
{
    public const string Path = "/sys/kernel/btf/vmlinux";

    private const int KindFunc = 12;

    /// <summary>The id of a function, for attaching to it; 0 when it has none or the bytes are not BTF.</summary>
    public static int FindFunction(ReadOnlySpan<byte> btf, string name)
    {
        if (btf.Length < 24 || BinaryPrimitives.ReadUInt16LittleEndian(btf) != 0xEB9F) return 0;
        uint header = U32(btf, 4), typeAt = U32(btf, 8), typeBytes = U32(btf, 12), textAt = U32(btf, 16), textBytes = U32(btf, 20);
        if ((ulong)header + typeAt + typeBytes > (ulong)btf.Length || (ulong)header + textAt + textBytes > (ulong)btf.Length) return 0;
        ReadOnlySpan<byte> texts = btf.Slice((int)(header + textAt), (int)textBytes);
        ReadOnlySpan<byte> types = btf.Slice((int)(header + typeAt), (int)typeBytes);
        int at = texts.IndexOf(Encoding.ASCII.GetBytes($"\0{name}\0"));
        return at < 0 ? 0 : Find(types, KindFunc, (uint)at + 1);
    }

    private static int Find(ReadOnlySpan<byte> types, int wantedKind, uint wantedName)
    {
        for (int id = 1; types.Length >= 12; id++)
        {
            uint info = U32(types, 4);
            int kind = (int)(info >> 24) & 0x1F;
            if (kind == wantedKind && U32(types, 0) == wantedName) return id;
            int length = 12 + BytesBehind(kind, (int)(info & 0xFFFF));
            if (length < 12 || length > types.Length) return 0;
            types = types[length..];
        }

        return 0;
    }

    private static int BytesBehind(int kind, int vlen) => kind switch
    {
        1 or 14 or 17 => 4,           // INT, VAR, DECL_TAG
        3 => 12,                      // ARRAY
        4 or 5 or 15 or 19 => 12 * vlen, // STRUCT, UNION, DATASEC, ENUM64
        6 or 13 => 8 * vlen,          // ENUM, FUNC_PROTO
        2 or 7 or 8 or 9 or 10 or 11 or 12 or 16 or 18 => 0, // PTR, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FLOAT, TYPE_TAG
        _ => int.MinValue,
    };

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
