using System.Text.Json;

namespace KeepAlive.SystemTests.Web;

/// <summary>
/// A JSON value against a schema of an OpenAPI document: as much of draft 2020-12 as that one uses. A member that is not described is a
/// fault too, so that nothing is told that is not documented.
/// </summary>
internal sealed class JsonSchemaCheck(JsonElement document)
{
    /// <summary>What does not fit, each with its place.</summary>
    public IReadOnlyList<string> Faults(JsonElement value, JsonElement schema)
    {
        var faults = new List<string>();
        Check(value, schema, "$", faults, isWhole: true);
        return faults;
    }

    public JsonElement Resolve(JsonElement schema)
    {
        while (schema.TryGetProperty("$ref", out JsonElement reference))
        {
            schema = document;
            foreach (string name in reference.GetString()!.Split('/').Skip(1)) schema = schema.GetProperty(name);
        }

        return schema;
    }

    private void Check(JsonElement value, JsonElement schema, string at, List<string> faults, bool isWhole)
    {
        schema = Resolve(schema);
        if (schema.TryGetProperty("allOf", out JsonElement all))
            foreach (JsonElement part in all.EnumerateArray()) Check(value, part, at, faults, isWhole: false);
        if (schema.TryGetProperty("oneOf", out JsonElement one) && one.EnumerateArray().Count(part => Fits(value, part)) != 1) faults.Add($"{at}: not one of {one.GetArrayLength()}");
        if (schema.TryGetProperty("type", out JsonElement type) && !Types(type).Any(t => IsOf(value, t))) faults.Add($"{at}: {value.ValueKind} is not {type}");
        if (schema.TryGetProperty("enum", out JsonElement choices) && !choices.EnumerateArray().Any(c => JsonElement.DeepEquals(c, value))) faults.Add($"{at}: {value} is none of {choices}");
        if (schema.TryGetProperty("const", out JsonElement only) && !JsonElement.DeepEquals(only, value)) faults.Add($"{at}: {value} is not {only}");
        if (value.ValueKind == JsonValueKind.Object) CheckObject(value, schema, at, faults, isWhole);
        if (value.ValueKind == JsonValueKind.Array) CheckArray(value, schema, at, faults);
    }

    private void CheckObject(JsonElement value, JsonElement schema, string at, List<string> faults, bool isWhole)
    {
        if (schema.TryGetProperty("required", out JsonElement required))
            faults.AddRange(required.EnumerateArray().Where(name => !value.TryGetProperty(name.GetString()!, out _)).Select(name => $"{at}: '{name}' is missing"));
        if (schema.TryGetProperty("properties", out JsonElement properties))
        {
            foreach (JsonProperty member in value.EnumerateObject())
                if (properties.TryGetProperty(member.Name, out JsonElement its)) Check(member.Value, its, $"{at}.{member.Name}", faults, isWhole: true);
        }

        HashSet<string> known = [.. Described(schema)];
        if (isWhole && known.Count > 0) faults.AddRange(value.EnumerateObject().Where(member => !known.Contains(member.Name)).Select(member => $"{at}: '{member.Name}' is not described"));
    }

    private void CheckArray(JsonElement value, JsonElement schema, string at, List<string> faults)
    {
        int count = value.GetArrayLength();
        if (schema.TryGetProperty("minItems", out JsonElement least) && count < least.GetInt32()) faults.Add($"{at}: {count} items, fewer than {least}");
        if (schema.TryGetProperty("maxItems", out JsonElement most) && count > most.GetInt32()) faults.Add($"{at}: {count} items, more than {most}");
        JsonElement[] prefix = schema.TryGetProperty("prefixItems", out JsonElement first) ? [.. first.EnumerateArray()] : [];
        bool hasItems = schema.TryGetProperty("items", out JsonElement items);
        for (int i = 0; i < count; i++)
        {
            if (i < prefix.Length) Check(value[i], prefix[i], $"{at}[{i}]", faults, isWhole: true);
            else if (hasItems) Check(value[i], items, $"{at}[{i}]", faults, isWhole: true);
        }
    }

    private bool Fits(JsonElement value, JsonElement schema)
    {
        var faults = new List<string>();
        Check(value, schema, "$", faults, isWhole: true);
        return faults.Count == 0;
    }

    private IEnumerable<string> Described(JsonElement schema)
    {
        schema = Resolve(schema);
        IEnumerable<string> own = schema.TryGetProperty("properties", out JsonElement properties) ? properties.EnumerateObject().Select(p => p.Name) : [];
        return schema.TryGetProperty("allOf", out JsonElement all) ? own.Concat(all.EnumerateArray().SelectMany(Described)) : own;
    }

    private static IEnumerable<string> Types(JsonElement type) => type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(t => t.GetString()!) : [type.GetString()!];

    private static bool IsOf(JsonElement value, string type) => (type, value.ValueKind) switch
    {
        ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) or ("null", JsonValueKind.Null) or ("number", JsonValueKind.Number) => true,
        ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
        ("integer", JsonValueKind.Number) => value.TryGetInt64(out _),
        _ => false,
    };
}
