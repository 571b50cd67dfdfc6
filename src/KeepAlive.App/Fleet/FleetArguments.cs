using System.CommandLine;
using KeepAlive.App.Measure;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.App.Fleet;

/// <summary>Which fleet, and how its etcd is reached: the same for <c>up</c> and for <c>fleet</c>. Each may come from the environment, for units and pods.</summary>
internal static class FleetArguments
{
    public const string EndpointsVariable = "KEEPALIVE_FLEET";
    public const string PasswordVariable = "KEEPALIVE_FLEET_PASSWORD";
    private const int EndpointsMax = 32;

    private static readonly Option<IReadOnlyList<Uri>?> Endpoints = CommandLine.Option<IReadOnlyList<Uri>?>("--fleet", $"The etcd of the fleet: https://HOST:2379, several with commas between; {EndpointsVariable} unless given", EndpointsText);
    private static readonly Option<string?> Name = CommandLine.Option<string?>("--fleet-name", $"Which fleet of that etcd: all with the same name have one policy; KEEPALIVE_FLEET_NAME, {FleetKeys.DefaultFleet} unless given", NameText);
    private static readonly Option<string?> User = new("--fleet-user") { Description = "Who asks, where etcd has users; KEEPALIVE_FLEET_USER unless given", HelpName = "USER" };
    private static readonly Option<string?> PasswordFile = new("--fleet-password-file") { Description = $"The file with the user's password; otherwise {PasswordVariable} is it", HelpName = "FILE" };
    private static readonly Option<string?> Ca = new("--fleet-ca") { Description = "PEM: who signs etcd's certificates, otherwise whom this machine trusts; KEEPALIVE_FLEET_CA unless given", HelpName = "FILE" };
    private static readonly Option<string?> Certificate = new("--fleet-cert") { Description = "PEM: our certificate, where etcd wants one; KEEPALIVE_FLEET_CERT unless given", HelpName = "FILE" };
    private static readonly Option<string?> Key = new("--fleet-key") { Description = "PEM: its key, where it is not in the same file; KEEPALIVE_FLEET_KEY unless given", HelpName = "FILE" };

    private static readonly Option<string?> Machine = CommandLine.Option<string?>("--machine", "What this machine is called in the fleet; KEEPALIVE_MACHINE, the host name unless given", NameText);

    /// <summary>Those of whoever asks a fleet.</summary>
    public static IReadOnlyList<Option> All { get; } = [Endpoints, Name, User, PasswordFile, Ca, Certificate, Key];

    /// <summary>Those of whoever is in one.</summary>
    public static IReadOnlyList<Option> OfMember { get; } = [.. All, Machine];

    /// <summary>What they say; null, without a fault, where no fleet is named.</summary>
    public static FleetOptions? Read(ParseResult parsed, out string? fault)
    {
        fault = null;
        IReadOnlyList<Uri>? endpoints = parsed.GetValue(Endpoints);
        if (endpoints is null && Environment.GetEnvironmentVariable(EndpointsVariable) is { Length: > 0 } text && !EndpointsText(text, out endpoints, out fault)) fault = $"{EndpointsVariable}: {fault}";
        if (endpoints is null) return null;
        string? name = Given(parsed, Name, "KEEPALIVE_FLEET_NAME") ?? FleetKeys.DefaultFleet, user = Given(parsed, User, "KEEPALIVE_FLEET_USER"), passwordFile = parsed.GetValue(PasswordFile);
        if (!NameText(name, out _, out fault)) return Fault($"KEEPALIVE_FLEET_NAME: {fault}", out fault);
        if (user is not null && passwordFile is null && Environment.GetEnvironmentVariable(PasswordVariable) is null)
            return Fault($"the password of {Texts.Printable(user)}? Give --fleet-password-file, or {PasswordVariable}", out fault);
        if (user is null && passwordFile is not null) return Fault("--fleet-password-file is for a --fleet-user", out fault);
        if (user is not null && endpoints.FirstOrDefault(e => e.Scheme == Uri.UriSchemeHttp && !e.IsLoopback) is { } open) return Fault($"a password sent to {open.GetLeftPart(UriPartial.Authority)} could be read on the way: give https:// endpoints", out fault);
        string? certificate = Given(parsed, Certificate, "KEEPALIVE_FLEET_CERT"), key = Given(parsed, Key, "KEEPALIVE_FLEET_KEY"), ca = Given(parsed, Ca, "KEEPALIVE_FLEET_CA");
        if (key is not null && certificate is null) return Fault("--fleet-key is the key of a --fleet-cert", out fault);
        if ((ca ?? certificate) is not null && endpoints.Any(e => e.Scheme == Uri.UriSchemeHttp)) return Fault("certificates are for https:// endpoints", out fault);
        return new FleetOptions(new EtcdOptions
        {
            Endpoints = endpoints,
            User = user,
            Password = user is null ? null : () => PasswordOf(passwordFile),
            CaFile = ca,
            CertificateFile = certificate,
            KeyFile = key,
        }, new FleetKeys(name));
    }

    /// <summary>What the machine is called.</summary>
    public static string? MachineOf(ParseResult parsed, out string? fault)
    {
        // As it is before its first dot: a name that people know it by.
        string machine = Given(parsed, Machine, "KEEPALIVE_MACHINE") ?? Environment.MachineName.Split('.')[0];
        if (NameText(machine, out _, out fault)) return machine;
        fault = $"{fault}: give it another one with --machine";
        return null;
    }

    /// <summary>The password: of the file's first line, or of the environment. Read at each login, so that it can be changed.</summary>
    private static string PasswordOf(string? file)
    {
        if (file is null) return Environment.GetEnvironmentVariable(PasswordVariable) ?? "";
        return TokenFile.TryRead(file, "--fleet-password-file", out string password, out string? fault) ? password : throw new EtcdException(EtcdFault.Denied, fault!);
    }

    private static FleetOptions? Fault(string text, out string? fault)
    {
        fault = text;
        return null;
    }

    private static string? Given(ParseResult parsed, Option<string?> option, string variable) =>
        parsed.GetValue(option) ?? (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? text : null);

    private static bool EndpointsText(string text, out IReadOnlyList<Uri>? value, out string? fault)
    {
        value = null;
        var endpoints = new List<Uri>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            bool good = Uri.TryCreate(part, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri is { Host.Length: > 0, UserInfo.Length: 0, AbsolutePath: "/", Query.Length: 0, Fragment.Length: 0 };
            fault = good ? null : $"'{(part.Contains('@', StringComparison.Ordinal) ? "an endpoint with an @" : Texts.Printable(part))}' is no endpoint: give https://HOST:PORT or http://HOST:PORT, and users by --fleet-user";
            if (!good) return false;
            endpoints.Add(uri!);
        }

        fault = endpoints.Count is 0 or > EndpointsMax ? $"give 1 to {EndpointsMax} endpoints, with commas between, such as https://etcd1:2379,https://etcd2:2379" : null;
        if (fault is null) value = endpoints;
        return fault is null;
    }

    private static bool NameText(string text, out string? value, out string? fault)
    {
        bool good = FleetKeys.IsName(text);
        value = good ? text : null;
        fault = good ? null : $"'{Texts.Printable(text)}' is no name: 1 to 63 letters, digits, dots, dashes or underscores";
        return good;
    }
}

/// <summary>A fleet, and how its etcd is reached.</summary>
internal sealed record FleetOptions(EtcdOptions Etcd, FleetKeys Keys);
