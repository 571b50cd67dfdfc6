using System.Text;

namespace KeepAlive.App.Install;

/// <summary>The systemd unit, from eng/keepalive.service, for a program wherever it is.</summary>
internal static class UnitText
{
    public const string Name = "keepalive.service";

    /// <summary>As the repository has it.</summary>
    public const string UsualProgram = "/usr/local/bin/keepalive";

    /// <summary>What a fresh installation does: nothing to anything.</summary>
    public const string FirstConfig = """
        // What keepalive does on this machine; as it stands, it only observes. It is read again whenever it is written.
        //   keepalive config example     prints every member there is, with what it means
        //   keepalive config check FILE  finds what is wrong with it
        {
          "gateways": [],
          "hosts": [],
        }

        """;

    // It sees none of these (ProtectHome=, PrivateTmp=).
    private static readonly string[] Hidden = ["/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"];

    /// <summary>The unit's text.</summary>
    public static string For(string program)
    {
        using Stream unit = typeof(UnitText).Assembly.GetManifestResourceStream(Name)!;
        using var reader = new StreamReader(unit);
        return reader.ReadToEnd().Replace(UsualProgram, Quoted(program), StringComparison.Ordinal);
    }

    /// <summary>Why the unit could not run it; null when it can.</summary>
    public static string? Unfit(string program) =>
        !program.StartsWith('/') ? $"'{program}' is not a whole path: systemd wants one, such as {UsualProgram}"
        : program.Any(char.IsControl) ? "the program's path has control characters"
        : Path.GetFileNameWithoutExtension(program) == "dotnet" ? "started as 'dotnet keepalive.dll' there is no one program to run: publish it as a single file, or give --program PATH"
        : Hidden.FirstOrDefault(folder => program.StartsWith(folder, StringComparison.Ordinal)) is { } hidden
            ? $"{program}: the unit sees nothing below {hidden.TrimEnd('/')}: install -m 755 {program} {UsualProgram}, then run '{UsualProgram} service install'"
            : null;

    // systemd.syntax(7), systemd.unit(5): quotes, and % that would begin a specifier; $ would be a variable (systemd.service(5)).
    private static string Quoted(string path)
    {
        var text = new StringBuilder();
        foreach (char c in path) text.Append(c switch { '%' => "%%", '$' => "$$", '"' => "\\\"", '\\' => "\\\\", _ => c.ToString() });
        return path.Any(c => char.IsWhiteSpace(c) || c is '"' or '\\' or '\'' or ';') ? $"\"{text}\"" : text.ToString();
    }
}
