using System.Globalization;
using System.Text;
using System.Text.Json;
using KeepAlive.Core;
using KeepAlive.Paths.Catalogue;

namespace KeepAlive.App.Explain;

/// <summary>Which known middleboxes a policy survives, at their default timeouts: in a few lines, as a table, as JSON.</summary>
internal static class MiddleboxVerdicts
{
    // Of those that a policy comes too late for: who reads it at night wants the first few.
    private const int NamesMax = 5;

    /// <summary>At most four lines.</summary>
    public static IEnumerable<string> Summary(KeepAlivePolicy policy)
    {
        (KnownMiddlebox Middlebox, int? Lost)[] all = [.. MiddleboxCatalogue.All.Select(m => (m, m.LostProbes(policy)))];
        (KnownMiddlebox Middlebox, int Lost)[] survived = [.. all.Where(v => v.Lost is not null).Select(v => (v.Middlebox, v.Lost!.Value))];
        yield return $"survives {survived.Length} of {all.Length} known ones at their default timeouts" + (survived.Length == 0 ? "" : Losses(survived));
        KnownMiddlebox[] late = [.. all.Where(v => v is { Lost: null, Middlebox.Refresh: BindingRefresh.Segments }).Select(v => v.Middlebox)];
        if (late.Length > 0)
            yield return $"too late for {string.Join(", ", late.Take(NamesMax).Select(m => $"{m.Name} {Duration.Format(m.IdleTimeout)}"))}" + (late.Length > NamesMax ? $" and {late.Length - NamesMax} more" : "");
        KnownMiddlebox[] above = [.. all.Where(v => v.Middlebox.Refresh == BindingRefresh.Payload).Select(v => v.Middlebox)];
        yield return $"not seen by {above.Length} that look above TCP ({string.Join(", ", above.Take(2).Select(m => m.Name))} ...): use 'keepalive gateway'";
        yield return "each of them: --middleboxes";
    }

    /// <summary>Every one, two lines each.</summary>
    public static string Table(KeepAlivePolicy policy)
    {
        IReadOnlyList<KnownMiddlebox> all = MiddleboxCatalogue.All;
        string[][] rows = [["name", "timeout", "can be set to", "at expiry", "refreshed by", $"with {policy}"], .. all.Select(m => Row(m, policy))];
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        for (int i = 0; i < rows.Length; i++)
        {
            text.AppendJoin("  ", rows[i].Select((cell, column) => cell.PadRight(widths[column])));
            while (text[^1] == ' ') text.Length--;
            text.Append('\n');
            if (i > 0) text.Append("    ").Append(About(all[i - 1])).Append('\n');
        }

        return text.ToString();
    }

    public static void Write(Utf8JsonWriter writer, KeepAlivePolicy? policy)
    {
        writer.WriteStartArray("middleboxes");
        foreach (KnownMiddlebox middlebox in MiddleboxCatalogue.All) Write(writer, middlebox, policy);
        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, KnownMiddlebox middlebox, KeepAlivePolicy? policy)
    {
        int? lost = policy is null ? null : middlebox.LostProbes(policy);
        writer.WriteStartObject();
        writer.WriteString("name", middlebox.Name);
        writer.WriteString("title", middlebox.Title);
        writer.WriteNumber("timeoutSeconds", middlebox.IdleTimeout.TotalSeconds);
        writer.WriteString("expiry", JsonNamingPolicy.CamelCase.ConvertName(middlebox.Expiry.ToString()));
        writer.WriteString("refresh", JsonNamingPolicy.CamelCase.ConvertName(middlebox.Refresh.ToString()));
        if (policy is null) writer.WriteNull("survived");
        else writer.WriteBoolean("survived", lost is not null);
        if (lost is { } number) writer.WriteNumber("lostProbes", number);
        else writer.WriteNull("lostProbes");
        writer.WriteString("source", middlebox.Source);
        writer.WriteString("checked", middlebox.Checked.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        writer.WriteBoolean("weak", middlebox.IsWeak);
        writer.WriteEndObject();
    }

    // The number most of them allow, and who allows fewer.
    private static string Losses((KnownMiddlebox Middlebox, int Lost)[] survived)
    {
        int most = survived.Max(v => v.Lost);
        (KnownMiddlebox Middlebox, int Lost)[] fewer = [.. survived.Where(v => v.Lost < most)];
        string all = fewer.Length == 0 ? "each " : "";
        return $", {all}with {most} lost in a row" + (fewer.Length == 0 ? "" : $"; fewer: {string.Join(", ", fewer.Select(v => $"{v.Middlebox.Name} {v.Lost}"))}");
    }

    private static string[] Row(KnownMiddlebox middlebox, KeepAlivePolicy policy) =>
    [
        middlebox.Name, Duration.Format(middlebox.IdleTimeout), Range(middlebox), At(middlebox.Expiry),
        middlebox.Refresh == BindingRefresh.Segments ? "any segment" : "payload only",
        Word(middlebox, policy),
    ];

    /// <summary>Whether it is survived, in a few words.</summary>
    public static string Word(KnownMiddlebox middlebox, KeepAlivePolicy policy) =>
        middlebox.LostProbes(policy) is { } lost ? $"survives {lost} lost" : middlebox.Refresh == BindingRefresh.Payload ? "no: use the gateway" : "no: too late";

    private static string Range(KnownMiddlebox middlebox) =>
        middlebox.Least is { } least && least == middlebox.Most ? "fixed"
        : (middlebox.Least, middlebox.Most) is (null, null) ? "-"
        : $"{(middlebox.Least is { } from ? Duration.Format(from) : "?")} to {(middlebox.Most is { } to ? Duration.Format(to) : "?")}";

    private static string At(ExpiryBehaviour expiry) => expiry switch
    {
        ExpiryBehaviour.Silent => "silent",
        ExpiryBehaviour.ResetOnUse => "reset on use",
        ExpiryBehaviour.ResetBoth => "reset",
        ExpiryBehaviour.Close => "close",
        ExpiryBehaviour.Varies => "varies",
        _ => "?",
    };

    private static string About(KnownMiddlebox middlebox) => string.Create(CultureInfo.InvariantCulture,
        $"{middlebox.Title}{(middlebox.Note is { } note ? $" ({note})" : "")}: {middlebox.Source}, {middlebox.Checked:yyyy-MM-dd}{(middlebox.IsWeak ? "; weak source" : "")}");
}
