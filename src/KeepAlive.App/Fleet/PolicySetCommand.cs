using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using KeepAlive.Fleet;

namespace KeepAlive.App.Fleet;

/// <summary><c>keepalive fleet policy set</c>: checked here, then set for all, or tried on some first.</summary>
internal static class PolicySetCommand
{
    private const int CommentMax = 300;
    private const int WhoMax = 200;
    private static readonly TimeSpan ObserveDefault = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ObserveMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ObserveMax = TimeSpan.FromDays(7);

    private static readonly Argument<string> FileName = new("FILE") { Description = "The policy; - for standard input" };
    private static readonly Option<string?> Comment = CommandLine.Option<string?>("--comment", "Why, for the history", CommentText);
    private static readonly Option<double?> Canary = CommandLine.Option<double?>("--canary", "First on a part of the machines, such as 5%; all get it unless deaths rise there", CanaryText);
    private static readonly Option<TimeSpan?> Observe = CommandLine.Option<TimeSpan?>("--observe", "With --canary: how long these are watched; 10m unless given", ObserveText);
    private static readonly Option<bool> Wait = new("--wait") { Description = "Until all machines have it: exit 1 if it is refused or rolled back" };

    public static Command Create()
    {
        var command = new Command("set", "Sets the policy of all machines; every fault in it is told first, with its line, and then nothing is set.") { FileName, Comment, Canary, Observe, Wait, FleetCommand.Json };
        command.SetAction((parsed, cancel) =>
        {
            if (parsed.GetValue(Observe) is not null && parsed.GetValue(Canary) is null) return Task.FromResult(FleetCommand.Complain("--observe is for --canary", CommandLine.Misused));
            return FleetCommand.RunAsync(parsed, store => SetAsync(parsed, store, cancel));
        });
        return command;
    }

    /// <summary>Who sets it, fit for the history.</summary>
    public static string Who(string user, string host) => Texts.Printable($"{user}@{host}" is { Length: > WhoMax } who ? who[..WhoMax] : $"{user}@{host}");

    private static async Task<int> SetAsync(ParseResult parsed, FleetStore store, CancellationToken cancel)
    {
        string file = parsed.GetValue(FileName)!, name = file == "-" ? "stdin" : file;
        if (Read(file, name, out string? fault) is not { } text) return FleetCommand.Complain(fault!);
        if (FleetPolicyText.Read(text, name, out IReadOnlyList<string> faults) is null)
        {
            foreach (string one in faults) CommandLine.Complain(Texts.Printable(one));
            return FleetCommand.Complain($"{FleetText.Count(faults.Count, "fault")} in {name}: nothing is set");
        }

        CanaryOptions? canary = parsed.GetValue(Canary) is { } percent ? new CanaryOptions(percent, parsed.GetValue(Observe) ?? ObserveDefault) : null;
        PolicyRecord record = await store.SetAsync(text, Who(Environment.UserName, Environment.MachineName), parsed.GetValue(Comment) ?? "", canary, cancel).ConfigureAwait(false);
        TextWriter output = parsed.InvocationConfiguration.Output;
        bool asJson = parsed.GetValue(FleetCommand.Json);
        if (!asJson)
        {
            output.WriteLine(Said(record, canary));
            await output.FlushAsync(cancel).ConfigureAwait(false);
        }

        if (!parsed.GetValue(Wait))
        {
            if (asJson) output.Write(JsonText.Of(writer => FleetDocument.WriteRecord(writer, record)));
            return CommandLine.Done;
        }

        (PolicyProgress progress, PolicyRecord last) = await new PolicyWait(store, CommandLine.Complain, TimeProvider.System).UntilOverAsync(record.Policy.Number, cancel).ConfigureAwait(false);
        bool isThere = progress.Step == PolicyStep.There;
        if (asJson) output.Write(JsonText.Of(writer => WriteWaited(writer, last, progress)));
        else if (isThere) output.WriteLine(progress.Text);
        return isThere ? CommandLine.Done : FleetCommand.Complain(progress.Text);
    }

    private static string Said(PolicyRecord record, CanaryOptions? canary) => canary is null ? string.Create(CultureInfo.InvariantCulture, $"policy {record.Policy.Number} is in force")
        : string.Create(CultureInfo.InvariantCulture, $"policy {record.Policy.Number}: {record.Why}, watched for {FleetText.Span(canary.Observe)}");

    private static void WriteWaited(Utf8JsonWriter writer, PolicyRecord record, PolicyProgress progress)
    {
        FleetDocument.WriteRecord(writer, record);
        writer.WriteBoolean("isEverywhere", progress.Step == PolicyStep.There);
        writer.WriteNumber("having", progress.Having);
        writer.WriteStartArray("refused");
        foreach (FleetMachine machine in progress.Refusing)
        {
            writer.WriteStartObject();
            writer.WriteString("machine", machine.Name);
            writer.WriteString("why", machine.Digest?.Refused?.Why);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("text", progress.Text);
    }

    // UTF-8, and no more than a policy may be: whatever else is named by mistake is not read to its end.
    private static string? Read(string file, string name, out string? fault)
    {
        fault = null;
        try
        {
            using Stream stream = file == "-" ? Console.OpenStandardInput() : new FileStream(file, FileMode.Open, FileAccess.Read);
            using var reader = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
            char[] chars = new char[FleetJson.PolicyTextMax + 1];
            int read = reader.ReadBlock(chars);
            if (read <= FleetJson.PolicyTextMax) return new string(chars, 0, read);
            fault = $"{name} is longer than the {FleetJson.PolicyTextMax} characters that a policy may have";
        }
        catch (DecoderFallbackException)
        {
            fault = $"{name} is not UTF-8: save it as such";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            fault = $"cannot read '{name}': {e.Message}";
        }

        return null;
    }

    private static bool CommentText(string text, out string? value, out string? fault)
    {
        bool good = text.Length <= CommentMax && !text.Any(char.IsControl);
        value = good ? text : null;
        fault = good ? null : $"a comment is one line of at most {CommentMax} characters";
        return good;
    }

    private static bool CanaryText(string text, out double? value, out string? fault)
    {
        bool good = double.TryParse(text.EndsWith('%') ? text[..^1] : "", NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent) && percent is > 0 and < 100;
        value = good ? percent : null;
        fault = good ? null : $"'{Texts.Printable(text)}' is no part of the machines above 0% and below 100%: give one such as 5%";
        return good;
    }

    private static bool ObserveText(string text, out TimeSpan? value, out string? fault)
    {
        bool good = Texts.DurationWithin(ObserveMin, ObserveMax)(text, out TimeSpan duration, out fault);
        value = good ? duration : null;
        return good;
    }
}
