using System.Globalization;
using System.Security;
using System.Text;
using KeepAlive.Core;

namespace KeepAlive.App.Simulate;

/// <summary>
/// Detection time against cost as an SVG: each policy a point, both axes logarithmic, labels moved apart. The
/// label of a hollow point says how few flows it kept.
/// </summary>
internal static class TradeOffChart
{
    private const int Width = 860, Height = 560, Left = 80, Right = 40, Top = 112, Bottom = 64;
    private const int LabelHeight = 15, LabelCharWidth = 7, PointRadius = 5, AboutCharsMax = 120;

    // Losses alone end a few flows of any policy.
    private const double WholePart = 0.999;

    public static string Draw(Scenario scenario, IReadOnlyList<SimulatedRun> runs)
    {
        (SimulatedRun Run, double Cost, double Time)[] points = [.. runs.Select(run => (run, run.BytesPerFlowDay, Seconds(run)))];
        var across = LogAxis.Around(points.Select(p => p.Cost), LogAxis.Decades, Left, Width - Right);
        var up = LogAxis.Around(points.Select(p => p.Time), LogAxis.Clock, Height - Bottom, Top);
        var svg = new StringBuilder();
        Line(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" height=\"{Height}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#222\">");
        Line(svg, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"#fff\"/>");
        Line(svg, $"<text x=\"{Left}\" y=\"28\" font-size=\"18\" font-weight=\"600\">Detection time against cost</text>");
        string[] about = [.. Wrapped(SimulationText.Describe(scenario)), string.Create(CultureInfo.InvariantCulture, $"filled: at least {WholePart * 100:0.#}% of the flows were never ended wrongly; hollow: fewer")];
        for (int i = 0; i < about.Length; i++) Line(svg, $"<text x=\"{Left}\" y=\"{48 + (i * 15)}\" font-size=\"11\" fill=\"#555\">{Escape(about[i])}</text>");
        foreach (double tick in across.Ticks) Across(svg, across.At(tick), Bytes(tick));
        foreach (double tick in up.Ticks) Up(svg, up.At(tick), Duration.Format(TimeSpan.FromSeconds(tick)));
        Line(svg, $"<path d=\"M{Left} {Top}V{Height - Bottom}H{Width - Right}\" fill=\"none\" stroke=\"#444\"/>");
        Line(svg, $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 18}\" text-anchor=\"middle\">bytes a flow and day, probes and answers (IPv4)</text>");
        Line(svg, $"<text transform=\"translate(20 {(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">dead peer found after, 99 of 100</text>");
        Points(svg, [.. points.Select(p => (p.Run, across.At(p.Cost), up.At(p.Time)))]);
        return svg.Append("</svg>\n").ToString();
    }

    // The simulated p99; where nobody died, the time the policy promises.
    private static double Seconds(SimulatedRun run) => Math.Max(0.001, (run.Result.Detection.Percentile(0.99) ?? run.Policy.DetectionTime).TotalSeconds);

    private static void Across(StringBuilder svg, double x, string label)
    {
        Line(svg, $"<path d=\"M{x:0.#} {Top}V{Height - Bottom}\" stroke=\"#e4e4e4\"/>");
        Line(svg, $"<text x=\"{x:0.#}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\" font-size=\"11\">{label}</text>");
    }

    private static void Up(StringBuilder svg, double y, string label)
    {
        Line(svg, $"<path d=\"M{Left} {y:0.#}H{Width - Right}\" stroke=\"#e4e4e4\"/>");
        Line(svg, $"<text x=\"{Left - 8}\" y=\"{y + 4:0.#}\" text-anchor=\"end\" font-size=\"11\">{label}</text>");
    }

    private static void Points(StringBuilder svg, (SimulatedRun Run, double X, double Y)[] points)
    {
        var taken = new List<(double Left, double Top, double Right, double Bottom)>(points.Select(p => (p.X - PointRadius, p.Y - PointRadius, p.X + PointRadius, p.Y + PointRadius)));
        foreach ((SimulatedRun run, double x, double y) in points.OrderBy(p => p.Y).ThenBy(p => p.X))
        {
            bool isWhole = run.SurvivedPart >= WholePart;
            string label = run.Policy + (isWhole ? "" : string.Create(CultureInfo.InvariantCulture, $" ({Math.Floor(run.SurvivedPart * 1000) / 10:0.#}% survive)"));
            (double left, double top) = Place(label.Length * LabelCharWidth, x, y, taken);
            taken.Add((left, top, left + (label.Length * LabelCharWidth), top + LabelHeight));
            Line(svg, $"<circle cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"{PointRadius}\" fill=\"{(isWhole ? "#1769aa" : "#fff")}\" stroke=\"#1769aa\" stroke-width=\"2\"/>");
            if (Math.Abs(top + (LabelHeight / 2.0) - y) > LabelHeight) Line(svg, $"<path d=\"M{x:0.#} {y:0.#}L{left:0.#} {top + (LabelHeight / 2.0):0.#}\" stroke=\"#999\" stroke-width=\"0.7\"/>");
            // The width is a guess: the end towards the point is where it has to be right.
            string anchor = left < x ? "end" : "start";
            double at = left < x ? left + (label.Length * LabelCharWidth) : left;
            Line(svg, $"<text x=\"{at:0.#}\" y=\"{top + LabelHeight - 3:0.#}\" text-anchor=\"{anchor}\" font-size=\"12\">{Escape(label)}</text>");
        }
    }

    // Right of its point, or left of it; else above and below in growing steps, wherever nothing is yet.
    private static (double Left, double Top) Place(double width, double x, double y, List<(double Left, double Top, double Right, double Bottom)> taken)
    {
        (double, double) beside = (Math.Min(x + 9, Width - 4 - width), y - (LabelHeight / 2.0));
        for (int step = 0; step < 2 * Height / LabelHeight; step++)
        {
            double top = y - (LabelHeight / 2.0) + ((step + 1) / 2 * (step % 2 == 0 ? -1 : 1) * (double)LabelHeight);
            if (top < Top - 20 || top + LabelHeight > Height - Bottom) continue;
            foreach (double left in (double[])[x + 9, x - 9 - width])
            {
                if (left < Left + 2 || left + width > Width - 4) continue;
                if (!taken.Any(t => left < t.Right && left + width > t.Left && top < t.Bottom && top + LabelHeight > t.Top)) return (left, top);
            }
        }

        return beside;
    }

    private static IEnumerable<string> Wrapped(string text)
    {
        var line = new StringBuilder();
        foreach (string word in text.Split(' '))
        {
            if (line.Length + word.Length >= AboutCharsMax)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length == 0 ? "" : " ").Append(word);
        }

        yield return line.ToString();
    }

    private static string Bytes(double bytes) => bytes >= 1e6 ? F($"{bytes / 1e6:0.##} MB") : bytes >= 1000 ? F($"{bytes / 1000:0.##} kB") : F($"{bytes:0.##} B");

    private static string Escape(string text) => SecurityElement.Escape(text);

    private static string F(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void Line(StringBuilder svg, FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
