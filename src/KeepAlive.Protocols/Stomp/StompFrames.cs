using System.Globalization;
using System.Text;

namespace KeepAlive.Protocols.Stomp;

/// <summary>One direction of STOMP, as it passes by (STOMP 1.2, "STOMP Frames").</summary>
/// <remarks>
/// <code>
/// COMMAND LF  name:value LF ...  LF  body NUL  LF ...
/// </code>
/// A body with a content-length is that long; without, it ends at the first NUL.
/// </remarks>
internal sealed class StompFrames
{
    private const int HeadBytesMax = 32 * 1024;

    private readonly StringBuilder _head = new();
    private Part _part;
    private long _left;
    private bool _isBehindCr;

    private enum Part : byte
    {
        Between,
        Head,
        Counted,
        UntilNul,
    }

    /// <summary>Nothing is half-said.</summary>
    public bool IsBetween => _part == Part.Between && !_isBehindCr;

    /// <summary>The command of the frame whose head has just ended.</summary>
    public string Command { get; private set; } = "";

    /// <summary>What it says of heart-beats; null for nothing.</summary>
    public string? HeartBeat { get; private set; }

    /// <summary>Takes some bytes: up to the end of a head, where there is one.</summary>
    /// <param name="bytes">One byte at least.</param>
    /// <param name="isHead">A head has ended with them.</param>
    /// <param name="isSound">False: this is no such protocol.</param>
    /// <returns>How many of the bytes.</returns>
    public int Take(ReadOnlySpan<byte> bytes, out bool isHead, out bool isSound)
    {
        (isHead, isSound) = (false, true);
        int taken = 0;
        while (taken < bytes.Length && !isHead && isSound)
        {
            if (_part == Part.Counted)
            {
                int piece = (int)Math.Min(_left, bytes.Length - taken);
                (_left, taken) = (_left - piece, taken + piece);
                if (_left == 0) _part = Part.UntilNul; // which is the next
                continue;
            }

            byte b = bytes[taken++];
            if (_part == Part.UntilNul) _part = b == 0 ? Part.Between : Part.UntilNul;
            else if (_part == Part.Head) isHead = TakeHead(b, ref isSound);
            else isSound = TakeBetween(b);
        }

        return taken;
    }

    private bool TakeBetween(byte b)
    {
        _isBehindCr = b == '\r';
        if (!char.IsAsciiLetterUpper((char)b)) return b is (byte)'\n' or (byte)'\r';
        _part = Part.Head;
        _head.Append((char)b);
        return true;
    }

    // Up to an empty line.
    private bool TakeHead(byte b, ref bool isSound)
    {
        isSound = b != 0 && _head.Length < HeadBytesMax;
        if (b == '\r') return false;
        _head.Append((char)b);
        if (b != '\n' || _head[^2] != '\n') return false;
        string[] lines = _head.ToString().Split('\n');
        _head.Clear();
        _head.Capacity = 16;
        (Command, HeartBeat) = (lines[0], Field(lines, "heart-beat"));
        string? length = Field(lines, "content-length");
        bool isCounted = length is not null;
        if (isCounted) isSound = long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out _left);
        _part = isCounted && _left > 0 ? Part.Counted : Part.UntilNul;
        return true;
    }

    // The first of several counts ("Repeated Header Entries").
    private static string? Field(string[] lines, string name) => lines.Skip(1).FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.Ordinal))?[(name.Length + 1)..].Trim();
}
