using System.Text;
using System.Text.Json;

namespace KeepAlive.App.Configuration;

/// <summary>The bytes of a file as values with their places. JSON (RFC 8259) with comments and trailing commas.</summary>
internal sealed class ConfigText(byte[] bytes)
{
    private const int DepthMax = 16; // a section's entries are at 3
    private const int FaultsMax = 100; // nobody reads more at a time

    private static readonly JsonReaderOptions Options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = DepthMax };

    private readonly List<ConfigFault> _faults = [];
    private readonly byte[] _bytes = bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;

    /// <summary>What is wrong, in the order it was found.</summary>
    public IReadOnlyList<ConfigFault> Faults => [.. _faults.OrderBy(f => f.Line).ThenBy(f => f.Column)];

    /// <summary>Something is wrong at a byte. Past the first hundred nothing is added.</summary>
    public void Fault(int at, string text)
    {
        if (_faults.Count >= FaultsMax) return;
        ReadOnlySpan<byte> before = _bytes.AsSpan(0, at);
        int lineStart = before.LastIndexOf((byte)'\n') + 1;
        _faults.Add(new ConfigFault(before.Count((byte)'\n') + 1, Encoding.UTF8.GetCharCount(before[lineStart..]) + 1, Texts.Printable(text)));
    }

    /// <summary>The whole of it; null, and a fault, where it is no JSON.</summary>
    public ConfigNode? Read()
    {
        var reader = new Utf8JsonReader(_bytes, Options);
        try
        {
            _ = reader.Read();
            ConfigNode root = Value(ref reader);
            _ = reader.Read(); // nothing may follow
            return root;
        }
        catch (JsonException e)
        {
            // It says the place in its own words at the end.
            string why = e.Message.Split(" LineNumber:")[0].TrimEnd('.');
            _faults.Add(new ConfigFault((int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1, $"no JSON: {why}: repair it; comments and trailing commas are allowed"));
        }
        catch (InvalidOperationException)
        {
            Fault((int)reader.TokenStartIndex, "a text that is not UTF-8: save the file as UTF-8");
        }

        return null;
    }

    private static ConfigNode Value(ref Utf8JsonReader reader)
    {
        int at = (int)reader.TokenStartIndex;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var whole = new ConfigNode(JsonTokenType.StartObject, at, "");
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    (string name, int nameAt) = (reader.GetString()!, (int)reader.TokenStartIndex);
                    _ = reader.Read();
                    whole.Members.Add(new ConfigNamed(name, nameAt, Value(ref reader)));
                }

                return whole;
            case JsonTokenType.StartArray:
                var list = new ConfigNode(JsonTokenType.StartArray, at, "");
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) list.Items.Add(Value(ref reader));
                return list;
            case JsonTokenType.String:
                return new ConfigNode(JsonTokenType.String, at, reader.GetString()!);
            default:
                return new ConfigNode(reader.TokenType, at, Encoding.UTF8.GetString(reader.ValueSpan));
        }
    }
}
