using System.Globalization;
using System.Text;
using System.Text.Json;
using KeepAlive.Core;
using KeepAlive.Paths.Catalogue;

namespace KeepAlive.App.Explain;

/// <summary>The other way: from what stands on a path to the cheapest policy that survives it, or why none does.</summary>
/// <param name="Limits">What stands there.</param>
/// <param name="Demand">What is asked of the policy.</param>
/// <param name="Policy">It; null when there is none.</param>
/// <param name="WhyNone">Why; null when there is one.</param>
internal sealed record ChoiceExplanation(PathLimits Limits, PolicyDemand Demand, KeepAlivePolicy? Policy, string? WhyNone)
{
    public static ChoiceExplanation Of(PathLimits limits, TimeSpan? detection, double loss)
    {
        var demand = new PolicyDemand(limits.Shortest.Timeout, detection, loss);
        string[] above = [.. limits.AboveTcp.Select(limit => limit.Middlebox!.Name)];
        if (above.Length > 0)
        {
            return new ChoiceExplanation(limits, demand, null,
                $"{string.Join(", ", above)} {(above.Length == 1 ? "counts" : "count")} bytes of the application only, and TCP keepalive has none: use 'keepalive gateway', which probes in the session's own protocol");
        }

        PolicyChoice choice = PolicyChoice.For(demand);
        return new ChoiceExplanation(limits, demand, choice.Policy, choice.WhyNone);
    }

    public string ToText(Traffic traffic)
    {
        if (Policy is null) return $"no policy: {WhyNone}\n";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Policy}: {Policy.Describe()}\n");
        foreach ((string name, string value) in (IEnumerable<(string, string)>)[.. Facts(Policy), .. Cost.Facts(Policy), .. traffic.Facts(Policy)])
            text.Append("  ").Append(name.PadRight(Explanation.NameWidth)).Append(value).Append('\n');
        return text.Append(CultureInfo.InvariantCulture, $"how others spell it: keepalive explain {Policy}\n").ToString();
    }

    public void Write(Utf8JsonWriter writer, Traffic traffic)
    {
        writer.WriteStartArray("for");
        foreach (PathLimit limit in Limits.All)
        {
            writer.WriteStartObject();
            writer.WriteString("name", limit.Middlebox?.Name);
            writer.WriteNumber("timeoutSeconds", limit.Timeout.TotalSeconds);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        Explanation.WriteNumbers(writer, [("detectSeconds", Demand.Detection?.TotalSeconds), ("loss", Demand.Loss)]);
        writer.WriteString("spec", Policy?.ToString());
        writer.WriteString("why", WhyNone);
        int? lost = Policy is null ? null : BindingMargin.LostProbes(Policy, Demand.Timeout);
        Explanation.WriteNumbers(writer,
        [
            ("lostProbes", lost),
            ("wronglyEndedPerYear", Policy is null ? null : Demand.EndingsPerYear(Policy)),
            ("wronglyEndedPerYearMax", PolicyDemand.EndingsPerYearMax),
            .. Explanation.Numbers(Policy),
            .. traffic.Numbers(Policy),
        ]);
    }

    private IEnumerable<(string Name, string Value)> Facts(KeepAlivePolicy policy)
    {
        int lost = BindingMargin.LostProbes(policy, Demand.Timeout)!.Value;
        string detection = Demand.Detection is { } most ? $", and finds a dead peer within {Duration.Format(most)}" : "";
        yield return ("cheapest for", string.Join(", ", Limits.All.Select(limit => limit.Text)) + detection);
        yield return ("refreshes", $"{Limits.Shortest.Text} in spite of {lost} lost probe{(lost == 1 ? "" : "s")} in a row, with a timer that is an eighth late");
        yield return ("losses", string.Create(CultureInfo.InvariantCulture,
            $"of {Demand.Loss:0.####%} of the segments end {Demand.EndingsPerYear(policy):0.#####} flows wrongly, per flow and year; the bound is {PolicyDemand.EndingsPerYearMax}"));
    }
}
