using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary><c>keepalive system show</c>: for people, and as JSON.</summary>
internal static class ShowDefaults
{
    private sealed record Shown(IMachinePlace Place, IReadOnlyList<MachineSetting> Settings, MachineDefaults? Defaults);

    public static int Run(IReadOnlyList<IMachinePlace> places, bool asJson, TextWriter output)
    {
        var shown = new List<Shown>();
        var notes = new List<string>();
        foreach (IMachinePlace place in places)
        {
            try
            {
                IReadOnlyList<MachineSetting> settings = place.Read();
                shown.Add(new Shown(place, settings, place.Keys.Defaults(settings)));
            }
            catch (MachineException e) when (place != places[0])
            {
                notes.Add($"left out: {e.Message}");
            }
        }

        if (asJson)
        {
            output.Write(Json(shown, notes));
            return CommandLine.Done;
        }

        Own(shown[0], output);
        if (shown.Count > 1) Others(shown[1..], output);
        output.WriteLine($"\n{Reach(shown[0])}");
        output.Flush();
        foreach (string note in notes) CommandLine.Complain(note);
        return CommandLine.Done;
    }

    private static void Own(Shown own, TextWriter output)
    {
        MachineKeys keys = own.Place.Keys;
        output.WriteLine(own.Place.Name + (own.Place is LinuxPlace ? ", ours" : ""));
        int keyWidth = own.Settings.Max(s => s.Key.Length), valueWidth = own.Settings.Max(s => keys.Text(s).Length);
        foreach (MachineSetting s in own.Settings) output.WriteLine($"  {s.Key.PadRight(keyWidth)}  {keys.Text(s).PadRight(valueWidth)}  {Meaning(s, own)}");
        output.WriteLine(own.Defaults is { } defaults ? $"  {defaults}: {defaults.Describe()}" : "  what they amount to is unknown: a value is missing");
    }

    private static string Meaning(MachineSetting s, Shown of)
    {
        MachineKeys keys = of.Place.Keys;
        if (s.Key == keys.Idle) return "idle: silence before the first probe";
        if (s.Key == keys.Interval) return "interval: from one unanswered probe to the next" + (keys.Count is null ? $"; always {keys.CountMax} probes" : "");
        if (s.Key == keys.Count) return "count: unanswered probes in a row that mean death";
        if (of.Defaults?.RetransmissionTime is { } time) return $"while data is unacknowledged keepalive waits: dead after about {Rounded(time)} of retransmissions";
        return of.Defaults?.AlwaysOn switch { true => "keepalive on every connection, asked for or not", false => "keepalive only where a program asks for it", null => "" };
    }

    private static void Others(List<Shown> others, TextWriter output)
    {
        output.WriteLine("\nother network namespaces (a new one starts from 7200:9:75, whatever ours has)");
        string[][] rows =
        [
            ["NETNS", "PROCESS", "DEFAULTS", "DEAD AFTER", "DATA UNDER WAY"],
            .. others.Select(o => (string[])
            [
                Number(((LinuxPlace)o.Place).Namespace.Inode), $"{((LinuxPlace)o.Place).Process}/{Number(((LinuxPlace)o.Place).Namespace.Pid)}",
                o.Defaults?.ToString() ?? "unknown", o.Defaults is { } d ? Duration.Format(d.DetectionTime) : "unknown",
                o.Defaults?.RetransmissionTime is { } time ? $"about {Rounded(time)} ({Number(o.Defaults.Retries!.Value)} retransmissions)" : "unknown",
            ]),
        ];
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows) output.WriteLine("  " + string.Concat(row[..^1].Select((cell, i) => cell.PadRight(widths[i] + 2))) + row[^1]);
    }

    private static string Reach(Shown own)
    {
        const string Whom = "They count for programs that switch keepalive on and set no numbers of their own.";
        const string Ours = "'keepalive run' starts a program with keepalive on, 'keepalive apply' switches it on in running ones.";
        return own.Place.Keys == MachineKeys.Linux ? $"{Whom}\nNo sysctl of Linux turns keepalive on for programs that did not ask for it: {Ours}"
            : own.Place.Keys == MachineKeys.MacOS ? $"{Whom}\n{own.Place.Keys.AlsoShown} = 1 turns keepalive on for programs that did not ask for it."
            : $"{Whom} Windows reads them when it starts.\nNo setting of Windows turns keepalive on for programs that did not ask for it.";
    }

    // Names and meanings stay; new ones may come. What could not be read is null.
    private static string Json(List<Shown> shown, List<string> notes)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("system", shown[0].Place.Keys.Name);
            writer.WriteStartArray("notes");
            foreach (string note in (string[])[.. Reach(shown[0]).Split('\n'), .. notes]) writer.WriteStringValue(note);
            writer.WriteEndArray();
            writer.WriteStartArray("places");
            foreach (Shown place in shown) Write(writer, place);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter writer, Shown shown)
    {
        writer.WriteStartObject();
        writer.WriteString("name", shown.Place.Name);
        if (shown.Place is LinuxPlace linux)
        {
            writer.WriteNumber("netns", linux.Namespace.Inode);
            writer.WriteBoolean("own", linux.Namespace.IsOurs);
            writer.WriteNumber("pid", linux.Namespace.Pid);
            writer.WriteString("process", linux.Process);
        }

        MachineDefaults? defaults = shown.Defaults;
        Write(writer, "idleSeconds", defaults?.Idle.TotalSeconds);
        Write(writer, "count", defaults?.Count);
        Write(writer, "intervalSeconds", defaults?.Interval.TotalSeconds);
        Write(writer, "detectionSeconds", defaults?.DetectionTime.TotalSeconds);
        Write(writer, "retransmissions", defaults?.Retries);
        Write(writer, "retransmissionSeconds", defaults?.RetransmissionTime?.TotalSeconds);
        if (defaults?.AlwaysOn is { } on) writer.WriteBoolean("alwaysOn", on);
        else writer.WriteNull("alwaysOn");
        writer.WriteStartObject("settings");
        foreach (MachineSetting setting in shown.Settings) Write(writer, setting.Key, setting.Value);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, double? value)
    {
        if (value is { } number) writer.WriteNumber(name, number);
        else writer.WriteNull(name);
    }

    private static string Rounded(TimeSpan time) => Duration.Format(TimeSpan.FromSeconds(Math.Round(time.TotalSeconds)));

    private static string Number(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
