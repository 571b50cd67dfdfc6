using System.Buffers.Text;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Redis;

/// <summary>One element of RESP 2 or 3 (redis.io, "Redis serialization protocol specification").</summary>
/// <remarks>
/// <code>
/// +OK\r\n  -ERR ...\r\n  :1\r\n           a line
/// $5\r\nhello\r\n                        a line that tells how many bytes follow
/// *2\r\n ...                             a line that tells how many elements follow
/// </code>
/// </remarks>
internal readonly record struct RedisElement
{
    private const int LineEnd = 2;

    private RedisElement(byte kind, int lineBytes, long number) => (Kind, LineBytes, Number) = (kind, lineBytes, number);

    /// <summary>Its first byte.</summary>
    public byte Kind { get; }

    /// <summary>How long its line is, with its end.</summary>
    public int LineBytes { get; }

    /// <summary>What the line tells: of bytes, or of elements. -1 for nothing at all.</summary>
    public long Number { get; }

    /// <summary>How many elements belong to it: twice as many for what has keys; what an attribute is about comes behind it.</summary>
    public long Elements => Kind switch
    {
        (byte)'*' or (byte)'~' or (byte)'>' => Math.Max(0, Number),
        (byte)'%' => 2 * Math.Max(0, Number),
        (byte)'|' => (2 * Math.Max(0, Number)) + 1,
        _ => 0,
    };

    private bool HasBytes => Kind is (byte)'$' or (byte)'=' or (byte)'!';

    /// <summary>All of it but the elements that belong to it.</summary>
    public long Bytes => HasBytes && Number >= 0 ? LineBytes + Number + LineEnd : LineBytes;

    /// <summary>Reads one.</summary>
    /// <param name="start">One byte at least.</param>
    /// <param name="element">It, when it could be read.</param>
    /// <returns>Its measure: <see cref="FrameMeasure.NeedsMore"/>, why not, or its length.</returns>
    public static FrameMeasure Read(ReadOnlySpan<byte> start, out RedisElement element)
    {
        element = default;
        bool isLine = start[0] is (byte)'+' or (byte)'-' or (byte)':' or (byte)'_' or (byte)',' or (byte)'#' or (byte)'(';
        bool hasNumber = start[0] is (byte)'$' or (byte)'=' or (byte)'!' or (byte)'*' or (byte)'%' or (byte)'~' or (byte)'>' or (byte)'|';
        if (!isLine && !hasNumber) return Strange;
        int end = start.IndexOf("\r\n"u8);
        if (end < 0) return FrameMeasure.NeedsMore;
        long number = 0;
        // "$?" and "*?" announce what comes in parts: no server does.
        if (hasNumber && (!Utf8Parser.TryParse(start[1..end], out number, out int used) || used != end - 1 || number is < -1 or > int.MaxValue)) return Strange;
        element = new RedisElement(start[0], end + LineEnd, number);
        return FrameMeasure.Of(element.Bytes);
    }

    /// <summary>The bytes of a "$" that is whole.</summary>
    public ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> frame) => frame[LineBytes..^LineEnd];

    private static FrameMeasure Strange => FrameMeasure.Doubtful("not Redis' protocol: not understood any more");
}
