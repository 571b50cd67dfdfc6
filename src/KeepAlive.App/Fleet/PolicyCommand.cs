using System.CommandLine;
using System.Globalization;
using KeepAlive.App.Connections;
using KeepAlive.Fleet;

namespace KeepAlive.App.Fleet;

/// <summary><c>keepalive fleet policy</c>: read, set, taken back; and what was before.</summary>
internal static class PolicyCommand
{
    private const int HistoryDefault = 20;
    private const int HistoryMax = 100; // as many as are kept

    // As the names of keys have room for.
    private const int NumberMax = 999_999_999;

    private static readonly Argument<int?> Number = Optional("N", "Its number, as in the history; otherwise the one in force");
    private static readonly Argument<int?> Back = Optional("N", "Which one to go back to; otherwise the one before, or the end of what is on its way");
    private static readonly Option<int> Last = CommandLine.Option<int>("--last", "How many, the newest first", Texts.NumberWithin(1, HistoryMax), HistoryDefault.ToString(CultureInfo.InvariantCulture));

    public static Command Create()
    {
        var get = new Command("get", "Prints a policy's text as it was set, and on stderr who set it, when and why.") { Number, FleetCommand.Json };
        get.SetAction((parsed, cancel) => FleetCommand.RunAsync(parsed, store => GetAsync(parsed, store, cancel)));
        var history = new Command("history", "Every policy, who set it, and what became of it.") { Last, FleetCommand.Json };
        history.SetAction((parsed, cancel) => FleetCommand.RunAsync(parsed, store => HistoryAsync(parsed, store, cancel)));
        var rollback = new Command("rollback", "Ends what is on its way; where nothing is, sets an older policy again, under a new number.") { Back, FleetCommand.Json };
        rollback.SetAction((parsed, cancel) => FleetCommand.RunAsync(parsed, store => RollBackAsync(parsed, store, cancel)));
        return new Command("policy", "The policy of all machines.") { get, PolicySetCommand.Create(), history, rollback };
    }

    private static async Task<int> GetAsync(ParseResult parsed, FleetStore store, CancellationToken cancel)
    {
        PolicyState state = await store.PoliciesAsync(cancel).ConfigureAwait(false);
        PolicyRecord? record = null;
        if (parsed.GetValue(Number) is { } number && (record = await store.HistoryOfAsync(number, cancel).ConfigureAwait(false)) is null)
            return FleetCommand.Complain($"there is no policy {number} in the fleet '{store.Keys.Fleet}': 'keepalive fleet policy history' lists them");
        if (record?.Outcome == PolicyOutcome.Unreadable) return FleetCommand.Complain($"policy {record.Policy.Number} cannot be read: {record.Why}");
        FleetPolicy? policy = record?.Policy ?? state.Current;
        TextWriter output = parsed.InvocationConfiguration.Output;
        if (parsed.GetValue(FleetCommand.Json))
        {
            output.Write(JsonText.Of(writer =>
            {
                writer.WriteString("fleet", store.Keys.Fleet);
                FleetDocument.WritePolicy(writer, "policy", policy, withText: true);
                if (record is not null) FleetDocument.WriteOutcome(writer, record);
                FleetDocument.WriteRollout(writer, state.Rollout, null);
            }));
            return CommandLine.Done;
        }

        if (state.Rollout is { } rollout && rollout.Policy.Number != policy?.Number) CommandLine.Complain($"{FleetText.Rollout(rollout)}; 'keepalive fleet policy get {rollout.Policy.Number}' prints it");
        if (policy is null) return FleetCommand.Complain($"no policy is in force in the fleet '{store.Keys.Fleet}': 'keepalive fleet policy set FILE' sets one");
        CommandLine.Complain($"{FleetText.Policy(policy)} ({(record is not null ? Outcome(record) : "in force")})");
        output.Write(OnTerminal(policy.Text, Console.IsOutputRedirected));
        return CommandLine.Done;
    }

    /// <summary>To a file byte for byte; to a terminal without what a terminal would obey.</summary>
    public static string OnTerminal(string text, bool isRedirected) => isRedirected ? text
        : string.Concat(text.Select(c => char.IsControl(c) && c is not ('\n' or '\t') ? '?' : c)) + (text.EndsWith('\n') ? "" : "\n");

    private static async Task<int> HistoryAsync(ParseResult parsed, FleetStore store, CancellationToken cancel)
    {
        IReadOnlyList<PolicyRecord> records = await store.HistoryAsync(parsed.GetValue(Last), cancel).ConfigureAwait(false);
        TextWriter output = parsed.InvocationConfiguration.Output;
        if (parsed.GetValue(FleetCommand.Json))
        {
            output.Write(JsonText.Of(writer =>
            {
                writer.WriteString("fleet", store.Keys.Fleet);
                FleetDocument.WriteHistory(writer, records);
            }));
        }
        else if (records.Count == 0)
        {
            CommandLine.Complain($"no policy was set in the fleet '{store.Keys.Fleet}' yet: 'keepalive fleet policy set FILE' sets the first");
        }
        else
        {
            ConnectionTable.WriteColumns(output, FleetText.History(records));
        }

        return CommandLine.Done;
    }

    private static async Task<int> RollBackAsync(ParseResult parsed, FleetStore store, CancellationToken cancel)
    {
        PolicyRecord record = await store.RollBackAsync(parsed.GetValue(Back), PolicySetCommand.Who(Environment.UserName, Environment.MachineName), cancel).ConfigureAwait(false);
        TextWriter output = parsed.InvocationConfiguration.Output;
        if (parsed.GetValue(FleetCommand.Json)) output.Write(JsonText.Of(writer => FleetDocument.WriteRecord(writer, record)));
        else output.WriteLine(record.Outcome == PolicyOutcome.RolledBack ? $"policy {record.Policy.Number} is rolled back" : $"policy {record.Policy.Number} is in force: {FleetText.Cell(record.Policy.Comment)}");
        return CommandLine.Done;
    }

    private static string Outcome(PolicyRecord record) => FleetText.Outcome(record.Outcome) + (record.Why.Length > 0 ? $": {FleetText.Cell(record.Why)}" : "");

    private static Argument<int?> Optional(string name, string description)
    {
        Argument<int?> argument = CommandLine.Argument<int?>(name, description, NumberText);
        argument.Arity = ArgumentArity.ZeroOrOne;
        return argument;
    }

    private static bool NumberText(string text, out int? value, out string? fault)
    {
        bool good = Texts.NumberWithin(1, NumberMax)(text, out int number, out fault);
        value = good ? number : null;
        if (!good) fault = $"'{Texts.Printable(text)}' is no policy's number: 'keepalive fleet policy history' lists them";
        return good;
    }
}
