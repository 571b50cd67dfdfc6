using System.CommandLine;
using KeepAlive.Linux.Launch;
using KeepAlive.Linux.Settings;

namespace KeepAlive.App.Programs;

/// <summary><c>keepalive run</c>: becomes another program, with keepalive forced on its sockets.</summary>
internal static class RunCommand
{
    private static readonly Argument<KeepAliveSpec> Spec = CommandLine.Argument<KeepAliveSpec>("SPEC", "idle:count:interval such as 60:4:15, on, or off", Texts.Spec);
    private static readonly Argument<string[]> Command = new("COMMAND") { Description = "The program and its arguments, behind --", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<UserTimeout> UserTimeoutOption = CommandLine.Option<UserTimeout>("--user-timeout", "TCP user timeout: auto (the detection time), off, or a duration. A peer whose window stays closed that long is given up too", Texts.UserTimeoutText, "auto");
    private static readonly Option<LaunchVia> Via = new("--via") { Description = "How: auto (the first that works), cgroup (root), seccomp (no rights needed), pidfd (seccomp for Linux before 5.14)" };

    public static Command Create()
    {
        var command = new Command("run", "Starts a program with keepalive forced on every TCP socket that it and its children make.") { Spec, Command, UserTimeoutOption, Via };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        if (!OperatingSystem.IsLinux()) return Failed("Linux only", CommandLine.Failed);
        var settings = SocketSettings.Of(parsed.GetValue(Spec), parsed.GetValue(UserTimeoutOption));
        foreach (Shortfall shortfall in settings.Shortfalls) CommandLine.Complain($"keepalive run: {shortfall}");
        string[] command = parsed.GetRequiredValue(Command);
        if (!Environment.IsPrivilegedProcess && IsSetuid(command[0]))
            CommandLine.Complain($"keepalive run: {command[0]} is setuid, which no_new_privs takes its effect: run keepalive as root instead (sudo keepalive run ... -- {command[0]})");
        try
        {
            Launcher.Become(settings, parsed.GetValue(Via), command);
            return CommandLine.Done;
        }
        catch (LaunchException e)
        {
            return Failed(e.Message, e.ExitCode);
        }
    }

    private static bool IsSetuid(string program)
    {
        IEnumerable<string> places = program.Contains('/') ? [program] : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, program));
        return OperatingSystem.IsLinux() && places.FirstOrDefault(File.Exists) is { } found && (File.GetUnixFileMode(found) & (UnixFileMode.SetUser | UnixFileMode.SetGroup)) != 0;
    }

    private static int Failed(string fault, int exitCode)
    {
        CommandLine.Complain($"keepalive run: {fault}");
        return exitCode;
    }
}
