using System.Numerics;

namespace KeepAlive.Paths.Simulation;

/// <summary>
/// How long it took to find dead peers, in milliseconds: 128 counts for each doubling, so that a percentile is right within 1 % and
/// the memory does not depend on how many there are.
/// </summary>
internal sealed class DetectionTimes
{
    private const int Bits = 7;
    private const int Half = 1 << Bits;

    // Of the longest there can be, TimeMax in milliseconds: 32 bits.
    private readonly long[] _counts = new long[Half * (2 + 32 - Bits)];

    /// <summary>How many.</summary>
    public long Count { get; private set; }

    /// <summary>The longest, exact; zero where there is none.</summary>
    public TimeSpan Max { get; private set; }

    /// <summary>The time within which this part of them was found, 0 to 1: not too short, and at most 1 % too long. Null where there is none.</summary>
    public TimeSpan? Percentile(double part)
    {
        long left = (long)Math.Ceiling(part * Count);
        for (int i = 0; i < _counts.Length && Count > 0; i++)
        {
            left -= _counts[i];
            if (left <= 0 && _counts[i] > 0) return TimeSpan.FromMilliseconds(Upper(i)) is var upper && upper < Max ? upper : Max;
        }

        return null;
    }

    internal void Add(TimeSpan time)
    {
        _counts[Index((uint)Math.Clamp(time.TotalMilliseconds, 0, uint.MaxValue))]++;
        Count++;
        if (time > Max) Max = time;
    }

    internal void Add(DetectionTimes other)
    {
        for (int i = 0; i < _counts.Length; i++) _counts[i] += other._counts[i];
        Count += other.Count;
        if (other.Max > Max) Max = other.Max;
    }

    // Below 256 each number has its own place; above, each doubling has 128.
    private static int Index(uint value)
    {
        int shift = Math.Max(0, BitOperations.Log2(value | 1) - Bits);
        return (shift * Half) + (int)(value >> shift);
    }

    private static double Upper(int index)
    {
        int shift = Math.Max(0, (index / Half) - 1);
        return ((double)(index - (shift * Half) + 1) * Math.Pow(2, shift)) - 0.0001;
    }
}
