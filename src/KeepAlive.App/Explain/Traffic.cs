using System.Globalization;

namespace KeepAlive.App.Explain;

/// <summary>For how many flows a cost is reckoned, and what a megabyte costs.</summary>
/// <param name="Flows">Idle flows with the same policy.</param>
/// <param name="PricePerMB">Of 1,000,000 bytes above the link layer, in anybody's money; null where bytes cost nothing.</param>
internal sealed record Traffic(int Flows, decimal? PricePerMB)
{
    private const decimal BytesPerMB = 1_000_000;

    public long BytesPerDay(KeepAlivePolicy policy, int segmentBytes) => Flows * Cost.BytesPerDay(policy, segmentBytes);

    public decimal? PricePerDay(KeepAlivePolicy policy, int segmentBytes) => PricePerMB * BytesPerDay(policy, segmentBytes) / BytesPerMB;

    /// <summary>The lines that SPEC alone does not have.</summary>
    public IEnumerable<(string Name, string Value)> Facts(KeepAlivePolicy policy)
    {
        string all = Flows == 1 ? "one flow" : string.Create(CultureInfo.InvariantCulture, $"{Flows} flows");
        if (Flows > 1)
        {
            yield return (all, string.Create(CultureInfo.InvariantCulture,
                $"{Flows * Cost.ProbesPerDay(policy)} probes a day, {Megabytes(policy, Cost.SegmentBytesIPv4)} MB (IPv6 {Megabytes(policy, Cost.SegmentBytesIPv6)} MB)"));
        }

        if (PricePerMB is { } price)
        {
            yield return ("price", string.Create(CultureInfo.InvariantCulture,
                $"at {price} per MB {PricePerDay(policy, Cost.SegmentBytesIPv4):0.####} a day for {all} (IPv6 {PricePerDay(policy, Cost.SegmentBytesIPv6):0.####})"));
        }
    }

    public IEnumerable<(string Name, double? Value)> Numbers(KeepAlivePolicy? policy) =>
    [
        ("flows", Flows),
        ("bytesPerDayAllFlowsIPv4", policy is null ? null : BytesPerDay(policy, Cost.SegmentBytesIPv4)),
        ("bytesPerDayAllFlowsIPv6", policy is null ? null : BytesPerDay(policy, Cost.SegmentBytesIPv6)),
        ("pricePerMB", (double?)PricePerMB),
        ("pricePerDayAllFlowsIPv4", policy is null ? null : (double?)PricePerDay(policy, Cost.SegmentBytesIPv4)),
        ("pricePerDayAllFlowsIPv6", policy is null ? null : (double?)PricePerDay(policy, Cost.SegmentBytesIPv6)),
    ];

    private string Megabytes(KeepAlivePolicy policy, int segmentBytes) =>
        (BytesPerDay(policy, segmentBytes) / BytesPerMB).ToString("0.##", CultureInfo.InvariantCulture);
}
