using System.Globalization;
using System.Text.RegularExpressions;

namespace KeepAlive.Tests.Tidy;

/// <summary>What holds of the page's own files: no text becomes markup, nothing is styled or scripted where the content-security policy forbids it, and every colour can be read.</summary>
internal static partial class PageRules
{
    /// <summary>WCAG 2.2, 1.4.3 and 1.4.11: text, and what has to be seen beside it.</summary>
    public const double TextContrastMin = 4.5;
    public const double ShapeContrastMin = 3;

    // What is read on what; and what is seen on what.
    private static readonly string[] Inks = ["ink", "soft", "accent", "good", "warn", "bad", "info", "off"];
    private static readonly string[] Sheets = ["ground", "sheet", "raised", "bad-wash", "warn-wash", "good-wash"];

    public static IEnumerable<string> Markup(SourceFile file) => Complaints(file, MarkupCall(), "makes markup of text: use textContent (dom.js)");

    public static IEnumerable<string> Inline(SourceFile file) => Complaints(file, InlineCode(), "is inline, which the content-security policy forbids: move it to a file, or set element.style from a script");

    public static IEnumerable<string> Elsewhere(SourceFile file) => Complaints(file, OtherPlace(), "is not on this server: the page works without any other");

    /// <summary>Pairs of colours that are too near one another, light and dark.</summary>
    public static IEnumerable<string> Contrast(SourceFile colours)
    {
        Dictionary<string, (string Light, string Dark)> all = Colour().Matches(colours.Text).ToDictionary(m => m.Groups[1].Value, m => (m.Groups[2].Value, m.Groups[3].Value));
        (string Front, string Back, double Least)[] pairs =
        [
            .. from ink in Inks from sheet in Sheets select (ink, sheet, TextContrastMin),
            ("on-accent", "accent", TextContrastMin), ("edge", "ground", ShapeContrastMin), ("edge", "sheet", ShapeContrastMin),
        ];
        return from pair in pairs
               from theme in (string[])["light", "dark"]
               let front = theme == "light" ? all[pair.Front].Light : all[pair.Front].Dark
               let back = theme == "light" ? all[pair.Back].Light : all[pair.Back].Dark
               let contrast = ContrastOf(front, back)
               where contrast < pair.Least
               select colours.At(0, string.Create(CultureInfo.InvariantCulture, $"--{pair.Front} on --{pair.Back}, {theme}: contrast {contrast:0.00}, less than {pair.Least}"));
    }

    /// <summary>Of two colours <c>#rrggbb</c>: 1 to 21 (WCAG 2.2, contrast ratio).</summary>
    public static double ContrastOf(string a, string b)
    {
        double x = Luminance(a), y = Luminance(b);
        return (Math.Max(x, y) + 0.05) / (Math.Min(x, y) + 0.05);
    }

    private static double Luminance(string colour)
    {
        double channel(int at)
        {
            double c = int.Parse(colour.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
            return c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4);
        }

        return (0.2126 * channel(1)) + (0.7152 * channel(3)) + (0.0722 * channel(5));
    }

    private static IEnumerable<string> Complaints(SourceFile file, Regex pattern, string complaint)
    {
        string[] lines = file.Lines;
        for (int i = 0; i < lines.Length; i++)
            if (pattern.Match(lines[i]) is { Success: true } match) yield return file.At(i, $"'{match.Value}' {complaint}");
    }

    [GeneratedRegex(@"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write(ln)?|createContextualFragment|setHTMLUnsafe|parseHTMLUnsafe|DOMParser|eval|Function)\b(?= *[(=+])")]
    private static partial Regex MarkupCall();

    [GeneratedRegex("""<style\b|<script(?![^>]*\bsrc=)|\son[a-z]+="|\sstyle="|javascript:""")]
    private static partial Regex InlineCode();

    [GeneratedRegex("""(?<!xmlns="|= ")https?://(?!www\.w3\.org/)""")]
    private static partial Regex OtherPlace();

    [GeneratedRegex(@"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")]
    private static partial Regex Colour();
}
