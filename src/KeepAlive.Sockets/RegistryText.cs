using System.Globalization;
using System.Text.RegularExpressions;

namespace KeepAlive.Sockets;

/// <summary>What Windows' reg.exe prints and takes. Written from its documentation: compiled, not run there.</summary>
internal static partial class RegistryText
{
    /// <summary>Where Windows keeps its keepalive defaults (MicrosoftDocs, KeepAliveTime); read when Windows starts.</summary>
    public const string Parameters = @"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters";

    /// <summary>Where the values from before a <c>persist</c> are kept.</summary>
    public const string Kept = @"HKLM\SOFTWARE\KeepAlive\Before";

    // A kept value that was not set before.
    private const string NotSet = "not set";

    // "    KeepAliveTime    REG_DWORD    0x493e0"
    [GeneratedRegex(@"^\s+(?<name>\S.*?)\s+(?<type>REG_[A-Z_]+)(?:\s+(?<data>.*\S))?\s*$")]
    private static partial Regex Value();

    /// <summary>
    /// The REG_DWORD values that <c>reg query</c> lists; one of another type has no number. What is no value is passed over;
    /// nothing throws.
    /// </summary>
    public static IReadOnlyList<MachineSetting> Parse(string output)
    {
        ArgumentNullException.ThrowIfNull(output);
        return [.. from line in output.Split('\n')
                   let value = Value().Match(line.TrimEnd('\r'))
                   where value.Success
                   select new MachineSetting(value.Groups["name"].Value, value.Groups["type"].Value == "REG_DWORD" ? Hexadecimal(value.Groups["data"].Value) : null)];
    }

    /// <summary>The arguments that list a key's values, in the view of 64-bit programs.</summary>
    public static IReadOnlyList<string> QueryArguments(string key) => ["query", key, "/reg:64"];

    /// <summary>The arguments that make a value of a key what the setting says; a <see cref="Parameters"/> value without a number is deleted.</summary>
    public static IReadOnlyList<string> WriteArguments(string key, MachineSetting setting) => setting.Value is { } value
        ? ["add", key, "/v", setting.Key, "/t", "REG_DWORD", "/d", value.ToString(CultureInfo.InvariantCulture), "/f", "/reg:64"]
        : key == Kept ? ["add", key, "/v", setting.Key, "/t", "REG_SZ", "/d", NotSet, "/f", "/reg:64"]
        : ["delete", key, "/v", setting.Key, "/f", "/reg:64"];

    /// <summary>The arguments that delete a key with its values.</summary>
    public static IReadOnlyList<string> DeleteArguments(string key) => ["delete", key, "/f", "/reg:64"];

    private static long? Hexadecimal(string data) =>
        data.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && uint.TryParse(data.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint number)
            ? number : null;
}
