using System.Text;

namespace KeepAlive.App.Ping;

/// <summary>Where a password comes from: the environment, or whoever sits at the terminal. Never from the command line, which every process may read.</summary>
internal static class Password
{
    public const string Variable = "KEEPALIVE_PASSWORD";

    /// <summary>The environment's; null for none, or where nobody is named.</summary>
    public static string? Given(PingUrl url)
    {
        // Redis has passwords without users; SSH has a user always.
        if (url.User is null && !url.Scheme.IsSsh && url.Scheme.ProtocolName != "redis") return null;
        return Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text ? text : null;
    }

    /// <summary>That one, or what is typed; null for none.</summary>
    public static string? For(PingUrl url) =>
        Given(url) ?? (url.User is null || Console.IsInputRedirected || Console.IsErrorRedirected ? null : Prompt(url));

    private static string? Prompt(PingUrl url)
    {
        _ = Console.KeyAvailable; // from here on the terminal echoes nothing
        Console.Error.Write($"password of {Texts.Printable(url.User!)} at {url.To} (none: just Enter): ");
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            if (key.Key == ConsoleKey.Backspace && typed.Length > 0) typed.Length--;
            else if (!char.IsControl(key.KeyChar)) typed.Append(key.KeyChar);
        }

        Console.Error.WriteLine();
        return typed.Length > 0 ? typed.ToString() : null;
    }
}
