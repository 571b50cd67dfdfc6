using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace KeepAlive.App.Metrics;

/// <summary>
/// Metrics in the text format of Prometheus (exposition format 0.0.4). Names by OpenTelemetry's rules for it: dots become underscores, units
/// are spelled out at the end, counters end in <c>_total</c>.
/// </summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Of(MetricReader reader)
    {
        var text = new StringBuilder();
        reader.Read(all =>
        {
            foreach (IGrouping<Instrument, Series> instrument in all) Write(text, instrument.Key, instrument);
        });
        return text.ToString();
    }

    /// <summary>An instrument's name there.</summary>
    public static string NameOf(Instrument instrument)
    {
        string name = Safe(instrument.Name);
        string unit = instrument.Unit switch
        {
            "s" => "seconds",
            "By" => "bytes",
            _ => "", // annotations in braces say what is counted, which the name does
        };
        // Which is a histogram's there: promtool says so of dotnet.timer.count.
        if (KindOf(instrument) == "gauge" && name.EndsWith("_count", StringComparison.Ordinal)) name = name[..^"_count".Length];
        if (unit.Length > 0 && !name.EndsWith("_" + unit, StringComparison.Ordinal)) name += "_" + unit;
        return KindOf(instrument) == "counter" ? name + "_total" : name;
    }

    private static void Write(StringBuilder text, Instrument instrument, IEnumerable<Series> all)
    {
        string name = NameOf(instrument), kind = KindOf(instrument);
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {Escaped(instrument.Description ?? instrument.Name, isLabel: false)}\n# TYPE {name} {kind}\n");
        foreach (Series series in all.OrderBy(Labels, StringComparer.Ordinal))
        {
            string labels = Labels(series);
            if (kind != "histogram")
            {
                text.Append(name).Append(labels.Length == 0 ? "" : $"{{{labels}}}").Append(' ').Append(Number(series.Value)).Append('\n');
                continue;
            }

            string before = labels.Length == 0 ? "" : labels + ",";
            foreach ((double bound, long count) in series.Buckets) text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"{Number(bound)}\"}} {count}\n");
            text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"+Inf\"}} {series.Count}\n");
            string braced = labels.Length == 0 ? "" : $"{{{labels}}}";
            text.Append(CultureInfo.InvariantCulture, $"{name}_sum{braced} {Number(series.Value)}\n{name}_count{braced} {series.Count}\n");
        }
    }

    private static string KindOf(Instrument instrument)
    {
        Type type = instrument.GetType().GetGenericTypeDefinition();
        return type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? "counter" : type == typeof(Histogram<>) ? "histogram" : "gauge";
    }

    private static string Labels(Series series) => string.Join(',', series.Attributes.Select(a => $"{Safe(a.Key)}=\"{Escaped(a.Value, isLabel: true)}\""));

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Safe(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private static string Escaped(string text, bool isLabel)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return isLabel ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }
}
