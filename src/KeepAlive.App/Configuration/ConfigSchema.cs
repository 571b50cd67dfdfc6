using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace KeepAlive.App.Configuration;

/// <summary>The JSON schema (draft 2020-12) of the file, from what the reader reads by.</summary>
internal static class ConfigSchema
{
    /// <summary>The published one.</summary>
    public static string ToText()
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) Write(writer);
        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
        writer.WriteString("title", "keepalive.json");
        writer.WriteString("description", "What 'keepalive up' is to do. Comments and trailing commas are allowed.");
        writer.WriteString("type", "object");
        writer.WriteBoolean("additionalProperties", false);
        writer.WriteStartObject("properties");
        writer.WriteStartObject(ConfigReader.SchemaMember);
        writer.WriteString("type", "string");
        writer.WriteEndObject();
        foreach (ConfigSection section in ConfigSection.All) Write(writer, section);
        WriteDashboard(writer);
        writer.WriteStartObject(ConfigReader.PathsMember);
        writer.WriteString("description", ConfigReader.PathsDescription);
        writer.WriteString("type", "string");
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ConfigSection section)
    {
        writer.WriteStartObject(section.Name);
        writer.WriteString("description", section.Description);
        writer.WriteString("type", "array");
        writer.WriteNumber("maxItems", ConfigReader.EntriesMax);
        writer.WriteStartObject("items");
        writer.WriteString("type", "object");
        writer.WriteBoolean("additionalProperties", false);
        writer.WriteStartArray("required");
        foreach (string required in section.Required) writer.WriteStringValue(required);
        writer.WriteEndArray();
        writer.WriteStartObject("properties");
        writer.WriteStartObject(ConfigEntry.NameMember);
        writer.WriteString("description", "What it is called in events; its own");
        writer.WriteString("type", "string");
        writer.WriteNumber("minLength", 1);
        writer.WriteNumber("maxLength", 64);
        writer.WriteEndObject();
        foreach (ConfigMember member in section.Members) Write(writer, member);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteDashboard(Utf8JsonWriter writer)
    {
        writer.WriteStartObject(ConfigSection.Dashboard.Name);
        writer.WriteString("description", ConfigSection.Dashboard.Description);
        writer.WriteString("type", "object");
        writer.WriteBoolean("additionalProperties", false);
        writer.WriteStartObject("properties");
        foreach (ConfigMember member in ConfigSection.Dashboard.Members) Write(writer, member);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ConfigMember member)
    {
        writer.WriteStartObject(member.Name);
        writer.WriteString("description", member.Description);
        if (member.Count > 1 || member.IsList)
        {
            writer.WriteString("type", "array");
            writer.WriteStartObject("items");
            writer.WriteString("type", "string");
            writer.WriteEndObject();
            if (!member.IsList) writer.WriteNumber("minItems", member.Count);
            if (!member.IsList) writer.WriteNumber("maxItems", member.Count);
        }
        else if (member.Choices.Count > 0)
        {
            writer.WriteStartArray("enum");
            foreach (string choice in member.Choices) writer.WriteStringValue(choice);
            writer.WriteEndArray();
        }
        else
        {
            writer.WriteStartArray("type");
            foreach (string type in (string[])(member.IsFlag ? ["boolean"] : member.IsNumber ? ["integer", "string"] : ["string", "number"])) writer.WriteStringValue(type);
            writer.WriteEndArray();
        }

        if (member.IsFlag) writer.WriteBoolean("default", false);
        else if (member is { IsNumber: true, Default: { } number }) writer.WriteNumber("default", int.Parse(number, CultureInfo.InvariantCulture));
        else if (member.Default is { } text) writer.WriteString("default", text);
        writer.WriteEndObject();
    }
}
