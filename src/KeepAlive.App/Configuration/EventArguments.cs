using System.CommandLine;
using System.Globalization;
using KeepAlive.App.Events;
using KeepAlive.App.Measure;

namespace KeepAlive.App.Configuration;

/// <summary>What a place that events go to may say, as options.</summary>
internal static class EventArguments
{
    private const long SizeLeast = 64 * 1024;

    private static readonly Option<string?> FileName = new("--file") { Description = "The whole path of a file: an object a line, as 'keepalive up --json' prints them" };
    private static readonly Option<string?> Webhook = new("--webhook") { Description = "An address, http or https, that they are posted to: {\"host\", \"dropped\", \"events\": [...]}, at most 100 at a time" };
    private static readonly Option<HashSet<string>?> Kinds = CommandLine.Option<HashSet<string>?>("--kinds", "Only these, with commas between them: died,refused; all where nothing is said", KindsText);
    private static readonly Option<long> MaxSize = CommandLine.Option<long>("--max-size", "Of a file: from so much on another one is begun (500KB, 100MB, 1GB)", SizeText, "100MB");
    private static readonly Option<int> Keep = new("--keep") { Description = "Of a file: how many earlier ones stay, 0 to 100", DefaultValueFactory = _ => 5 };
    private static readonly Option<string?> TokenFileName = new("--token-file") { Description = "Of an address: a file with the secret for 'Authorization: Bearer'" };

    public static Command Create() => new("event", "Where events go.") { FileName, Webhook, Kinds, MaxSize, Keep, TokenFileName };

    /// <summary>Where they go; null where that is not said right.</summary>
    public static EventTarget? Read(string name, ParseResult parsed, List<string> faults)
    {
        string? file = parsed.GetValue(FileName), address = parsed.GetValue(Webhook), tokenFile = parsed.GetValue(TokenFileName);
        HashSet<string> kinds = parsed.GetValue(Kinds) ?? [];
        int keep = parsed.GetValue(Keep);
        if (file is null == address is null) faults.Add("where do they go? Give one of --file and --webhook");
        if (keep is < 0 or > 100) faults.Add($"--keep: {keep} is not 0 to 100");
        if (tokenFile is not null && address is null) faults.Add("--token-file is for --webhook");
        string token = "";
        if (tokenFile is not null && !TokenFile.TryRead(tokenFile, "--token-file", out token, out string? unread)) faults.Add(unread!);
        if (file is not null)
        {
            if (!Path.IsPathRooted(file)) faults.Add($"--file: '{file}' is not a whole path such as /var/log/keepalive/events.json");
            else if (!Directory.Exists(Path.GetDirectoryName(file))) faults.Add($"--file: there is no folder '{Path.GetDirectoryName(file)}': make it (mkdir -p)");
            return new FileTarget(name, kinds, file, parsed.GetValue(MaxSize), keep);
        }

        if (address is null) return null;
        bool isGood = Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https";
        if (!isGood) faults.Add("--webhook: that is no address such as https://alerts.example.com/keepalive");
        else if (uri!.UserInfo.Length > 0) faults.Add("--webhook: no password in an address, which is shown: give --token-file");
        return isGood ? new WebhookTarget(name, kinds, uri!, token.Length == 0 ? null : token) : null;
    }

    private static bool KindsText(string text, out HashSet<string>? value, out string? fault)
    {
        value = [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
        string? unknown = value.FirstOrDefault(kind => !EventText.Kinds.Contains(kind));
        fault = value.Count == 0 ? "no kind is named: leave it out for all" : unknown is null ? null
            : $"'{Texts.Printable(unknown)}' is no kind of event: {NearestName.Advice(unknown, [.. EventText.Kinds])}";
        return fault is null;
    }

    private static bool SizeText(string text, out long value, out string? fault)
    {
        (string Unit, long Bytes)[] units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000)];
        (string unit, long bytes) = units.FirstOrDefault(u => text.EndsWith(u.Unit, StringComparison.OrdinalIgnoreCase), ("", 1));
        bool isNumber = long.TryParse(text[..^unit.Length], NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= 1_000_000_000_000 / bytes;
        value = number * bytes;
        fault = !isNumber ? $"'{text}' is not a size such as 500KB, 100MB or 1GB (at most 1000GB)" : value < SizeLeast ? $"{text} is below {SizeLeast / 1024} KiB" : null;
        return fault is null;
    }
}
