using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace KeepAlive.App.Explain;

/// <summary>
/// <c>keepalive explain SPEC</c>: what a policy means, what it costs, what it survives, how others spell it; and
/// <c>explain --for</c>: which policy survives what stands on a path.
/// </summary>
internal static class ExplainCommand
{
    private const int FlowsMax = 1_000_000_000;
    private const decimal PriceMax = 1_000_000_000;

    private static readonly Argument<KeepAliveSpec> Spec = SpecArgument();
    private static readonly Option<Dialect?> As = CommandLine.Option<Dialect?>("--as", "That product's spelling alone: " + string.Join(", ", Dialect.All.Select(d => d.Name)), FindDialect);
    private static readonly Option<bool> Middleboxes = new("--middleboxes") { Description = "Every known middlebox: what it does, and whether SPEC survives it" };
    private static readonly Option<PathLimits> For = CommandLine.Option<PathLimits>("--for", "Instead of SPEC: the cheapest policy that survives these middleboxes, or timeouts (aws-nlb,azure-lb,300s)", PathLimits.Read);
    private static readonly Option<TimeSpan> Detect = CommandLine.Option("--detect", "With --for: a dead peer is found within this time", Texts.DurationWithin(TimeSpan.FromSeconds(1), KeepAlivePolicy.DurationMax));
    private static readonly Option<double> Loss = CommandLine.Option("--loss", "With --for: part of the segments that is lost, each way", Texts.Percent(0.99), "1%");
    private static readonly Option<int> Flows = CommandLine.Option("--flows", "Cost of this many flows", Texts.NumberWithin(1, FlowsMax), "1");
    private static readonly Option<decimal?> Price = CommandLine.Option<decimal?>("--price-per-mb", "What 1,000,000 bytes cost", ReadPrice);
    private static readonly Option<bool> Json = new("--json") { Description = "As one JSON object" };

    public static Command Create()
    {
        var command = new Command("explain", "What a policy means, costs and survives, and how others spell it; or which policy a path needs.")
        {
            Spec, As, Middleboxes, For, Detect, Loss, Flows, Price, Json,
        };
        command.Validators.Add(Check);
        command.SetAction(parsed =>
        {
            var traffic = new Traffic(parsed.GetValue(Flows), parsed.GetValue(Price));
            TextWriter output = parsed.InvocationConfiguration.Output;
            return IsGiven(parsed, For) ? Choose(parsed, traffic, output) : Explain(parsed, traffic, output);
        });
        return command;
    }

    private static int Explain(ParseResult parsed, Traffic traffic, TextWriter output)
    {
        KeepAliveSpec spec = parsed.GetValue(Spec);
        Dialect? dialect = parsed.GetValue(As);
        output.Write(
            parsed.GetValue(Json) ? JsonText.Of(writer => Explanation.Write(writer, spec, dialect is null ? Dialect.All : [dialect], traffic, MeasuredVerdicts.Read()))
            : dialect is not null ? string.Join('\n', dialect.Render(spec)) + "\n"
            : parsed.GetValue(Middleboxes) ? MiddleboxVerdicts.Table(spec.Policy ?? KeepAlivePolicy.Default)
            : Explanation.ToText(spec, traffic, MeasuredVerdicts.Read()));
        return CommandLine.Done;
    }

    private static int Choose(ParseResult parsed, Traffic traffic, TextWriter output)
    {
        var choice = ChoiceExplanation.Of(parsed.GetValue(For)!, IsGiven(parsed, Detect) ? parsed.GetValue(Detect) : null, parsed.GetValue(Loss));
        output.Write(parsed.GetValue(Json) ? JsonText.Of(writer => choice.Write(writer, traffic)) : choice.ToText(traffic));
        return choice.Policy is null ? CommandLine.Failed : CommandLine.Done;
    }

    private static void Check(CommandResult result)
    {
        bool hasSpec = result.GetResult(Spec) is { Tokens.Count: > 0 }, hasFor = result.GetResult(For) is { Implicit: false };
        if (!hasSpec && !hasFor) result.AddError("give SPEC (60:4:15), or --for what stands on the path (--for aws-nlb,300s)");
        if (hasSpec && hasFor) result.AddError("SPEC and --for exclude each other: one says the policy, the other asks for it");
        foreach (Option option in (Option[])[Detect, Loss])
            if (!hasFor && result.GetResult(option) is { Implicit: false }) result.AddError($"{option.Name} goes with --for");
        foreach (Option option in (Option[])[As, Middleboxes])
            if (hasFor && result.GetResult(option) is { Implicit: false }) result.AddError($"{option.Name} goes with SPEC, not with --for");
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    private static Argument<KeepAliveSpec> SpecArgument()
    {
        Argument<KeepAliveSpec> spec = CommandLine.Argument<KeepAliveSpec>("SPEC", "idle:count:interval, named parts, on or off", Texts.Spec);
        spec.Arity = ArgumentArity.ZeroOrOne;
        return spec;
    }

    private static bool FindDialect(string name, out Dialect? dialect, out string? fault)
    {
        dialect = Dialect.Find(name);
        fault = dialect is null ? $"'{name}' is not known: give one of {string.Join(", ", Dialect.All.Select(d => d.Name))}" : null;
        return dialect is not null;
    }

    private static bool ReadPrice(string text, out decimal? price, out string? fault)
    {
        bool good = decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value) && value <= PriceMax;
        price = good ? value : null;
        fault = good ? null : $"'{text}' is not a price from 0 to {PriceMax}: give a number such as 4.50";
        return good;
    }
}
