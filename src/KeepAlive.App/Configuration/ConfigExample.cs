using System.Text;

namespace KeepAlive.App.Configuration;

/// <summary>A file to begin with: an entry of each section, and beside it everything that it may say.</summary>
internal static class ConfigExample
{
    // What an entry says; all the others stand in comments.
    private static readonly Dictionary<string, (string Member, string Value)[]> Entries = new()
    {
        ["gateways"] = [("name", "\"ftp\""), ("listen", "\"127.0.0.1:2121\""), ("to", "\"ftp.example.com:21\""), ("probe", "\"30:3:10\""), ("noCheck", "true")],
        ["hosts"] = [("name", "\"databases\""), ("port", "5432"), ("spec", "\"60:4:15\""), ("mode", "\"observe\"")],
        ["events"] = [("name", "\"alerts\""), ("webhook", "\"http://127.0.0.1:9000/keepalive\""), ("kinds", "\"died,refused\"")],
    };

    public static string ToText()
    {
        var text = new StringBuilder("// What 'keepalive up' is to do. 'keepalive config check' tells what is wrong with it; 'keepalive config schema' is for editors.\n"
            + "// Durations are seconds, or have units: 90s, 2m30s, 500ms. Values behind // are what holds where nothing is said, or kinds of value.\n{\n");
        foreach (ConfigSection section in ConfigSection.All)
        {
            text.Append("  // ").Append(section.Description).Append(".\n  \"").Append(section.Name).Append("\": [\n    {\n");
            (string Member, string Value)[] said = Entries[section.Name];
            text.Append("      // What it is called in events; where nothing is said, by where it listens or what it matches\n      \"name\": ").Append(said[0].Value).Append(",\n");
            foreach (ConfigMember member in section.Members)
            {
                string? value = said.FirstOrDefault(s => s.Member == member.Name).Value;
                text.Append("      // ").Append(member.Description).Append("\n      ").Append(value is null ? "// " : "")
                    .Append('"').Append(member.Name).Append("\": ").Append(value ?? Silent(member)).Append(",\n");
            }

            text.Append("    },\n  ],\n");
        }

        text.Append("  // ").Append(ConfigSection.Dashboard.Description).Append(".\n  \"").Append(ConfigSection.Dashboard.Name).Append("\": {\n");
        foreach (ConfigMember member in ConfigSection.Dashboard.Members)
            text.Append("    // ").Append(member.Description).Append("\n    // \"").Append(member.Name).Append("\": ").Append(Silent(member)).Append(",\n");
        return text.Append("  },\n  // ").Append(ConfigReader.PathsDescription).Append("\n  // \"").Append(ConfigReader.PathsMember).Append("\": \"/var/lib/keepalive/paths.json\",\n}\n").ToString();
    }

    private static string Silent(ConfigMember member) => member.IsFlag ? "false" : member.IsList ? "[\"...\"]" : member.Count > 1 ? "[" + string.Join(", ", Enumerable.Repeat("\"...\"", member.Count)) + "]" : member.IsNumber ? member.Default ?? "1" : $"\"{member.Default ?? "..."}\"";
}
