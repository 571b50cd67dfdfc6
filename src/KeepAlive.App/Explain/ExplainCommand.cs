using System.CommandLine;
using KeepAlive.Core;

namespace KeepAlive.App.Explain;

/// <summary><c>keepalive explain SPEC</c>: what a policy means, what it costs, how others spell it.</summary>
internal static class ExplainCommand
{
    private static readonly Argument<KeepAliveSpec> Spec = CommandLine.Argument<KeepAliveSpec>("SPEC", "idle:count:interval, named parts, on or off", Texts.Spec);
    private static readonly Option<Dialect?> As = CommandLine.Option<Dialect?>("--as", "That product's spelling alone: " + string.Join(", ", Dialect.All.Select(d => d.Name)), FindDialect);
    private static readonly Option<bool> Json = new("--json") { Description = "As one JSON object" };

    public static Command Create()
    {
        var command = new Command("explain", "What a policy means, what it costs, and how others spell it.") { Spec, As, Json };
        command.SetAction(parsed =>
        {
            KeepAliveSpec spec = parsed.GetValue(Spec);
            Dialect? dialect = parsed.GetValue(As);
            parsed.InvocationConfiguration.Output.Write(
                parsed.GetValue(Json) ? Explanation.ToJson(spec, dialect is null ? Dialect.All : [dialect])
                : dialect is not null ? string.Join('\n', dialect.Render(spec)) + "\n" : Explanation.ToText(spec));
            return CommandLine.Done;
        });
        return command;
    }

    private static bool FindDialect(string name, out Dialect? dialect, out string? fault)
    {
        dialect = Dialect.Find(name);
        fault = dialect is null ? $"'{name}' is not known: give one of {string.Join(", ", Dialect.All.Select(d => d.Name))}" : null;
        return dialect is not null;
    }
}
