using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using KeepAlive.App.Configuration;
using KeepAlive.App.Connections;
using KeepAlive.App.Demo;
using KeepAlive.App.Explain;
using KeepAlive.App.Fleet;
using KeepAlive.App.Gateways;
using KeepAlive.App.Install;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.App.Ping;
using KeepAlive.App.Programs;
using KeepAlive.App.Reflect;
using KeepAlive.App.Remote;
using KeepAlive.App.Simulate;
using KeepAlive.App.Up;

namespace KeepAlive.App;

/// <summary>The commands, and what they have in common: results on stdout, the rest on stderr; exit 0 done, 1 failed, 2 misused.</summary>
internal static class CommandLine
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Misused = 2;

    private const int OutputBufferChars = 32 * 1024;

    public static async Task<int> RunAsync(string[] args)
    {
        ParseResult parsed = Root().Parse(args);
        // The library ends the process 2 s after a signal, unless told not to: a gateway drains for longer.
        if (parsed.Errors.Count == 0)
        {
            // The console's own writer makes a system call of every word.
            var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), OutputBufferChars);
            int code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, Output = output }).ConfigureAwait(false);
            return Flushed(output) ? code : Failed;
        }

        foreach (ParseError error in parsed.Errors) Complain($"keepalive: {WithoutSecrets(error.Message, parsed)}");
        string names = "";
        for (CommandResult? at = parsed.CommandResult; at?.Parent is not null; at = at.Parent as CommandResult) names = $"{at.Command.Name} {names}";
        Complain($"keepalive: see 'keepalive {names}--help'");
        return Misused;
    }

    // The library repeats what it has no place for, and that may be a second URL: what stands before its last '@' is left out, as no
    // password is to be in a log.
    private static string WithoutSecrets(string message, ParseResult parsed)
    {
        foreach (string text in parsed.Tokens.Select(token => token.Value).Concat(parsed.UnmatchedTokens).Distinct())
        {
            int end = text.LastIndexOf('@'), scheme = text.IndexOf("://", StringComparison.Ordinal), begin = scheme >= 0 && scheme < end ? scheme + "://".Length : 0;
            if (end > begin && text.AsSpan(begin, end - begin).Contains(':')) message = message.Replace(text, $"{text[..begin]}...{text[end..]}", StringComparison.Ordinal);
        }

        return message;
    }

    // A full disk is a failure; a reader that has gone away (head, less) is none, and .NET does not tell of it.
    private static bool Flushed(StreamWriter output)
    {
        try
        {
            output.Flush();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Complain($"keepalive: stdout: {e.Message}");
            return false;
        }
    }

    /// <summary>A line on stderr, if there is one: nobody's listening is no reason to end.</summary>
    public static void Complain(string line)
    {
        try
        {
            Console.Error.WriteLine(line);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Closed, or full.
        }
    }

    private static RootCommand Root()
    {
        var root = new RootCommand("Keeps idle TCP connections alive, finds dead peers in seconds, and shows which is which.")
        {
            ApplyCommand.Create(),
            ConfigCommand.Create(),
            DemoCommand.Create(),
            ExplainCommand.Create(),
            FleetCommand.Create(),
            FlowsCommand.Create(),
            GatewayCommand.Create(),
            ListCommand.Create(),
            MeasureCommand.Create(),
            PingCommand.Create(),
            ReflectCommand.Create(),
            RunCommand.Create(),
            ServiceCommand.Create(),
            SimulateCommand.Create(),
            SystemCommand.Create(),
            UpCommand.Create(),
        };
        return root;
    }

    /// <summary>An option whose text goes through a reader that names what is wrong with it.</summary>
    public static Option<T> Option<T>(string name, string description, TextReader<T> read, string? defaultText = null)
    {
        var option = new Option<T>(name)
        {
            Description = description,
            HelpName = name[2..].ToUpperInvariant(),
            CustomParser = result => Read(name, result, read),
        };
        if (defaultText is null) return option;
        option.DefaultValueFactory = _ => read(defaultText, out T value, out string? fault) ? value : throw new InvalidOperationException(fault);
        return option;
    }

    /// <summary>An argument whose text goes through such a reader.</summary>
    public static Argument<T> Argument<T>(string name, string description, TextReader<T> read) =>
        new(name) { Description = description, CustomParser = result => Read(null, result, read) };

    private static T Read<T>(string? name, ArgumentResult result, TextReader<T> read)
    {
        if (result.Tokens.Count == 0) return default!; // not given, where it need not be
        if (read(result.Tokens[^1].Value, out T value, out string? fault)) return value;
        result.AddError(name is null ? fault! : $"{name}: {fault}");
        return default!;
    }
}

/// <summary>Reads a text, or says what is wrong with it and what to do.</summary>
internal delegate bool TextReader<T>(string text, out T value, out string? fault);
