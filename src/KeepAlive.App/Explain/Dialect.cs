using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive.App.Explain;

/// <summary>How one product spells a policy.</summary>
/// <param name="Name">As in <c>--as</c>.</param>
/// <param name="Title">The product, and where the lines go.</param>
/// <param name="Comment">What begins a comment in its configuration.</param>
/// <param name="Limits">How it counts.</param>
/// <param name="Write">The lines for keepalive on with these numbers; a line that starts with <c>!</c> becomes a comment.</param>
/// <param name="Off">The lines that switch it off.</param>
/// <param name="On">The lines that switch it on with the machine's own values.</param>
internal sealed record Dialect(
    string Name, string Title, string Comment, KernelLimits Limits, Func<KernelNumbers, IEnumerable<string>> Write, string[] Off, string[] On)
{
    /// <summary>Every dialect: servers, programs and languages, machines.</summary>
    public static IReadOnlyList<Dialect> All { get; } = [.. ServerDialects.All, .. ProgramDialects.All, .. MachineDialects.All];

    public static Dialect? Find(string name) => All.FirstOrDefault(d => d.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The snippet, ready to paste; what differs from the policy stands in comments.</summary>
    public IReadOnlyList<string> Render(KeepAliveSpec spec)
    {
        if (!spec.IsOn) return AsComments(Off);
        if (spec.Policy is not { } policy) return AsComments(On);
        KernelNumbers numbers = KernelNumbers.Of(policy, Limits);
        return AsComments([.. numbers.Notes().Select(note => "!" + note), .. Write(numbers)]);
    }

    /// <summary>A number in a configuration is written the same everywhere.</summary>
    public static string T(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>One comment line of what is not as asked; none when all is.</summary>
    public static IEnumerable<string> Differs(string why, params (string What, string Here, string Asked)[] values)
    {
        string[] different = [.. values.Where(v => v.Here != v.Asked).Select(v => $"{v.What} {v.Here}, not {v.Asked}")];
        return different.Length == 0 ? [] : [$"!{why}: {string.Join("; ", different)}"];
    }

    public static string Text(TimeSpan value) => Duration.Format(value);

    private string[] AsComments(string[] lines) => [.. lines.Select(line => line.StartsWith('!') ? $"{Comment} {line[1..]}" : line)];
}
