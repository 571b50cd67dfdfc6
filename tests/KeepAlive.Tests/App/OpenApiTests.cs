using System.Text.Json;
using System.Text.RegularExpressions;
using KeepAlive.App.Web;
using KeepAlive.Tests.Tidy;

namespace KeepAlive.Tests.App;

/// <summary>The document against the structure that OpenAPI 3.1 asks for (spec.openapis.org/oas/v3.1.1, section 4.8).</summary>
public sealed partial class OpenApiTests
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

    private static readonly JsonElement Document = JsonDocument.Parse(OpenApiFile.Bytes).RootElement;

    [Fact]
    public void The_published_one_is_the_one_that_is_served() =>
        Assert.Equal(File.ReadAllText(Path.Combine(SourceTree.Root, "docs/openapi.json")), System.Text.Encoding.UTF8.GetString(OpenApiFile.Bytes));

    [Fact]
    public void The_root_has_what_it_must()
    {
        Assert.Matches(@"^3\.1\.\d+$", Document.GetProperty("openapi").GetString());
        Assert.NotEmpty(Document.GetProperty("info").GetProperty("title").GetString()!);
        Assert.NotEmpty(Document.GetProperty("info").GetProperty("version").GetString()!);
        string[] known = ["openapi", "info", "jsonSchemaDialect", "servers", "paths", "webhooks", "components", "security", "tags", "externalDocs"];
        Assert.All(Document.EnumerateObject(), member => Assert.Contains(member.Name, known));
    }

    [Fact]
    public void Every_operation_has_what_it_must()
    {
        var names = new HashSet<string>();
        foreach ((string path, string method, JsonElement operation) in Operations())
        {
            string where = $"{method} {path}";
            Assert.True(names.Add(operation.GetProperty("operationId").GetString()!), $"{where}: its operationId is another's");
            JsonElement[] responses = [.. operation.GetProperty("responses").EnumerateObject().Select(r => r.Value)];
            Assert.NotEmpty(responses);
            Assert.All(responses, response => Assert.True(response.TryGetProperty("description", out _), $"{where}: a response without a description"));
            Assert.All(operation.GetProperty("responses").EnumerateObject(), response => Assert.Matches("^([1-5][0-9][0-9]|[1-5]XX|default)$", response.Name));
            JsonElement[] parameters = operation.TryGetProperty("parameters", out JsonElement list) ? [.. list.EnumerateArray().Select(Resolved)] : [];
            Assert.All(parameters, parameter => Assert.Contains(parameter.GetProperty("in").GetString(), (string?[])["query", "header", "path", "cookie"]));
            Assert.All(parameters, parameter => Assert.True(parameter.TryGetProperty("schema", out _) || parameter.TryGetProperty("content", out _), where));
            string[] inPath = [.. parameters.Where(p => p.GetProperty("in").GetString() == "path").Select(p => p.GetProperty("name").GetString()!)];
            Assert.Equal([.. Template().Matches(path).Select(m => m.Groups[1].Value)], inPath);
            Assert.All(parameters.Where(p => p.GetProperty("in").GetString() == "path"), parameter => Assert.True(parameter.GetProperty("required").GetBoolean()));
            if (operation.TryGetProperty("requestBody", out JsonElement body)) Assert.NotEmpty(body.GetProperty("content").EnumerateObject());
        }

        Assert.InRange(names.Count, 10, 100);
    }

    [Fact]
    public void Every_reference_leads_somewhere_and_every_component_is_used()
    {
        string[] all = [.. References(Document).Distinct()];
        Assert.All(all, reference => Assert.True(TryResolve(reference, out _), $"{reference} leads nowhere"));
        foreach (JsonProperty kind in Document.GetProperty("components").EnumerateObject().Where(k => k.Name != "securitySchemes"))
            Assert.All(kind.Value.EnumerateObject(), component => Assert.Contains($"#/components/{kind.Name}/{component.Name}", all));
        string[] schemes = [.. Document.GetProperty("components").GetProperty("securitySchemes").EnumerateObject().Select(s => s.Name)];
        IEnumerable<JsonElement> required = Operations().Select(o => o.Operation).Append(Document).Where(o => o.TryGetProperty("security", out _)).SelectMany(o => o.GetProperty("security").EnumerateArray());
        Assert.All(required.SelectMany(r => r.EnumerateObject()), scheme => Assert.Contains(scheme.Name, schemes));
    }

    [Fact]
    public void What_a_schema_requires_it_describes()
    {
        foreach (JsonProperty schema in Document.GetProperty("components").GetProperty("schemas").EnumerateObject())
        {
            if (!schema.Value.TryGetProperty("required", out JsonElement required)) continue;
            string[] described = [.. schema.Value.GetProperty("properties").EnumerateObject().Select(p => p.Name)];
            Assert.All(required.EnumerateArray(), name => Assert.Contains(name.GetString(), described));
        }
    }

    private static IEnumerable<(string Path, string Method, JsonElement Operation)> Operations()
    {
        foreach (JsonProperty path in Document.GetProperty("paths").EnumerateObject())
        {
            Assert.StartsWith("/", path.Name, StringComparison.Ordinal);
            foreach (JsonProperty operation in path.Value.EnumerateObject())
            {
                Assert.Contains(operation.Name, Methods);
                yield return (path.Name, operation.Name, operation.Value);
            }
        }
    }

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member => member is { Name: "$ref", Value.ValueKind: JsonValueKind.String } ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };

    private static JsonElement Resolved(JsonElement element) => element.TryGetProperty("$ref", out JsonElement reference) && TryResolve(reference.GetString()!, out JsonElement found) ? found : element;

    private static bool TryResolve(string reference, out JsonElement found)
    {
        found = Document;
        foreach (string name in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
            if (!found.TryGetProperty(name, out found)) return false;
        return reference.StartsWith("#/", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Template();
}
