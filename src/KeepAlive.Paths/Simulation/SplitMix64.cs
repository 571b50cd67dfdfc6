namespace KeepAlive.Paths.Simulation;

/// <summary>
/// Random numbers of a seed (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): 8 bytes of
/// state, so that each flow has its own, and the same ones on every machine and runtime, as <see cref="Random"/> does not promise.
/// </summary>
internal struct SplitMix64
{
    private const ulong Gamma = 0x9e37_79b9_7f4a_7c15;

    private ulong _state;

    /// <summary>The numbers of one stream of a seed; streams have nothing in common that shows.</summary>
    public SplitMix64(ulong seed, ulong stream) => _state = Mix(seed + Gamma) ^ Mix((stream * Gamma) + 1);

    public ulong Next() => Mix(_state += Gamma);

    /// <summary>0 to 1, 1 excluded.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>The time to the next event of those that come once in <paramref name="mean"/>, without memory; at least one tick.</summary>
    public TimeSpan NextGap(TimeSpan mean) => TimeSpan.FromTicks(1) + (mean * -Math.Log(1 - NextDouble()));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xbf58_476d_1ce4_e5b9;
        z = (z ^ (z >> 27)) * 0x94d0_49bb_1331_11eb;
        return z ^ (z >> 31);
    }
}
