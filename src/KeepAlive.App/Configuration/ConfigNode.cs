using System.Text.Json;

namespace KeepAlive.App.Configuration;

/// <summary>A value of the file, and where it stands.</summary>
/// <param name="Kind">What it is: <c>StartObject</c>, <c>StartArray</c>, or a plain value.</param>
/// <param name="At">Its first byte.</param>
/// <param name="Text">Of a plain value, its text.</param>
internal sealed record ConfigNode(JsonTokenType Kind, int At, string Text)
{
    /// <summary>Of an object, in their order; a name may come twice.</summary>
    public List<ConfigNamed> Members { get; } = [];

    /// <summary>Of an array.</summary>
    public List<ConfigNode> Items { get; } = [];

    /// <summary>What it is, for people.</summary>
    public string KindName => Kind switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.String => $"the text '{Text}'",
        JsonTokenType.Number => $"the number {Text}",
        _ => Text,
    };
}

/// <summary>A member of an object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="At">The first byte of the name.</param>
/// <param name="Value">Its value.</param>
internal sealed record ConfigNamed(string Name, int At, ConfigNode Value);
