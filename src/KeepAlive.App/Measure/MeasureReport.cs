using System.Globalization;
using KeepAlive.App.Explain;
using KeepAlive.Core;
using KeepAlive.Paths.Catalogue;
using KeepAlive.Paths.Measure;

namespace KeepAlive.App.Measure;

/// <summary>What a measurement found, in one paragraph.</summary>
internal static class MeasureReport
{
    public static string ToText(PathFinding found) => string.Create(CultureInfo.InvariantCulture,
        $"{Timeout(found)}; {Refreshing(found)}.{Reviving(found)} {Advice(found)}.\n{found.Connections} connections{(found.Failed > 0 ? $", {found.Failed} more could not be made" : "")}, {Duration.Format(Whole(found.Took))}, round trip up to {found.RoundTrip.TotalMilliseconds:0.#} ms\n");

    private static string Timeout(PathFinding found)
    {
        if (found.High is not { } high) return $"this path let idle flows live for {Duration.Format(found.Low)}, the longest that was tried (--max)";
        string verb = found.Expiry switch
        {
            Expiry.Silent => "drops idle flows silently",
            Expiry.ResetOnUse => "forgets idle flows and answers their next packet with a reset,",
            Expiry.Reset => "resets idle flows",
            _ => "closes idle flows",
        };
        if (found.Low == TimeSpan.Zero) return $"this path {verb} after less than {Duration.Format(high)}, the shortest that is tried";
        TimeSpan middle = (found.Low + high) / 2;
        return $"this path {verb} after {Seconds(middle, high - found.Low)} ({Seconds(found.Low, high - found.Low, isBare: true)}–{Seconds(high, high - found.Low, isBare: true)})";
    }

    private static string Refreshing(PathFinding found)
    {
        string crossing = found.KeepAliveCrosses == Answer.No ? "; something on the way answers TCP keepalive itself, it does not reach the far end" : "";
        if (found.High is null) return "nothing had to be refreshed" + crossing;
        return (found.ClientKeepAlive, found.ServerKeepAlive) switch
        {
            (Answer.Yes, Answer.Yes) => "TCP keepalive refreshes it",
            (Answer.Yes, Answer.No) => "TCP keepalive refreshes it from this side only",
            (Answer.No, Answer.Yes) => "TCP keepalive refreshes it from the far side only",
            (Answer.No, Answer.No) => "TCP keepalive does not refresh it",
            _ => "whether TCP keepalive refreshes it is not known",
        } + (found.ClientBytes, found.ServerBytes) switch
        {
            (Answer.Yes, Answer.Yes) when found.ClientKeepAlive == Answer.Yes => "",
            (Answer.Yes, Answer.Yes) => ", application data does",
            (Answer.Yes, Answer.No) => ", application data towards the far end does, data from there does not",
            (Answer.No, Answer.Yes) => ", application data from the far end does, data towards it does not",
            (Answer.No, Answer.No) => ", nor does application data",
            _ => "",
        } + crossing;
    }

    private static string Reviving(PathFinding found) =>
        found.ClientRevives == Answer.Yes ? " It lets a client that speaks first through again, so that only what the far end sends is lost." : "";

    private static string Advice(PathFinding found)
    {
        if (found.KeepAlivePolicy() is { } policy) return $"Use {policy}: {Worth(policy, found)}";
        if (found.ProbePolicy() is { } probe) return $"Use probes of the application's own protocol, as 'keepalive gateway --probe {probe}' sends them: {Worth(probe, found)}";
        return found.High is null || found.Low >= TimeSpan.FromSeconds(3) ? "No keepalive helps here: reconnect, or have the timeout raised" : "That is too short for any keepalive: have the timeout raised";
    }

    private static string Worth(KeepAlivePolicy policy, PathFinding found)
    {
        string loss = found.High is not null && BindingMargin.LostProbes(policy, found.Low) is { } lost ? $"survives {lost} lost probe{(lost == 1 ? "" : "s")}, " : "";
        return $"{loss}finds a dead peer in {Duration.Format(policy.DetectionTime)}, {Cost.ProbesPerDay(policy)} probes a day";
    }

    private static TimeSpan Whole(TimeSpan time) => TimeSpan.FromSeconds(Math.Round(time.TotalSeconds));

    // As many digits as the bracket deserves.
    private static string Seconds(TimeSpan time, TimeSpan within, bool isBare = false)
    {
        int digits = within < TimeSpan.FromSeconds(2) ? 1 : 0;
        double seconds = Math.Round(time.TotalSeconds, digits);
        return isBare ? seconds.ToString(digits == 1 ? "0.0" : "0", CultureInfo.InvariantCulture) : seconds.ToString("0.#", CultureInfo.InvariantCulture) + "s";
    }
}
