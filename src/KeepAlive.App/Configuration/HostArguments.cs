using System.CommandLine;
using System.Globalization;
using KeepAlive.App.Connections;
using KeepAlive.App.Up;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Settings;

namespace KeepAlive.App.Configuration;

/// <summary>What a host policy may say, as options: those that <c>list</c> and <c>apply</c> have are the same here.</summary>
internal static class HostArguments
{
    private const string UserFile = "/etc/passwd";

    private static readonly Option<string?> Process = new("--process") { Description = "Connections of processes with this name (/proc/PID/comm, its first 15 characters)" };
    private static readonly Option<uint?> User = CommandLine.Option<uint?>("--user", "Connections of this user: a name or a number", UserText);
    private static readonly Option<string?> Cgroup = CommandLine.Option<string?>("--cgroup", "Connections of processes in this cgroup (v2) or below it, such as system.slice", CgroupText);
    private static readonly Option<KeepAliveSpec> Spec = CommandLine.Option<KeepAliveSpec>("--spec", "Keepalive: idle:count:interval, on, off", Texts.Spec);
    private static readonly Option<UserTimeout> UserTimeoutOption = CommandLine.Option<UserTimeout>("--user-timeout", "TCP user timeout: auto (the detection time), off, or a duration", Texts.UserTimeoutText, "auto");
    private static readonly Option<HostMode> Mode = CommandLine.Option<HostMode>("--mode", "observe: tell what would be changed; apply: change it", ModeText, "observe");

    public static Command Create() => new("host", "A host policy.") { Process, User, Cgroup, ConnectionFilter.RemoteOption, ConnectionFilter.PortOption, Spec, UserTimeoutOption, Mode };

    /// <summary>The policy, whatever its faults.</summary>
    public static HostPolicy Read(string name, ParseResult parsed, List<string> faults)
    {
        var filter = new ConnectionFilter(new ConnectionScope(), parsed.GetValue(ConnectionFilter.PortOption), parsed.GetValue(ConnectionFilter.RemoteOption));
        string? process = parsed.GetValue(Process), cgroup = parsed.GetValue(Cgroup);
        uint? user = parsed.GetValue(User);
        if (process is null && cgroup is null && user is null && !filter.IsAny)
            faults.Add("which connections? Give --process, --user, --cgroup, --remote or --port; a --remote of 0.0.0.0/0 is every IPv4 address");
        return new HostPolicy(name, filter, process, user, cgroup, SocketSettings.Of(parsed.GetValue(Spec), parsed.GetValue(UserTimeoutOption)), parsed.GetValue(Mode)) { Spec = parsed.GetValue(Spec) };
    }

    private static bool ModeText(string text, out HostMode value, out string? fault)
    {
        value = text == "apply" ? HostMode.Apply : HostMode.Observe;
        fault = text is "apply" or "observe" ? null : $"'{text}' is neither observe nor apply";
        return fault is null;
    }

    private static bool UserText(string text, out uint? value, out string? fault)
    {
        fault = null;
        value = uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : Named(text);
        if (value is null) fault = $"'{text}' is no user in {UserFile}: give one that is, or the number ('id -u {Texts.Printable(text)}' tells it)";
        return value is not null;
    }

    // "name:x:uid:..." (passwd(5)).
    private static uint? Named(string name)
    {
        if (!File.Exists(UserFile)) return null;
        foreach (string line in File.ReadLines(UserFile))
        {
            string[] fields = line.Split(':');
            if (fields.Length > 2 && fields[0] == name && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint uid)) return uid;
        }

        return null;
    }

    private static bool CgroupText(string text, out string? value, out string? fault)
    {
        const string Mount = "/sys/fs/cgroup";
        string path = "/" + (text.StartsWith(Mount + "/", StringComparison.Ordinal) ? text[Mount.Length..] : text).Trim('/');
        bool good = path != "/" && !path.Split('/').Contains("..");
        value = good ? path : null;
        fault = good ? null : $"'{text}' is not a cgroup below the root: give one such as system.slice or /system.slice/ssh.service (systemd-cgls shows them)";
        return good;
    }
}
