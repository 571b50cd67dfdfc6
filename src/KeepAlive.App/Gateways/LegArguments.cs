using System.CommandLine;
using KeepAlive.Gateway;
using KeepAlive.Gateway.Tls;
using KeepAlive.Protocols.Proxy;

namespace KeepAlive.App.Gateways;

/// <summary>The options of <c>keepalive gateway</c> for what comes before the bytes of a leg: TLS and PROXY headers.</summary>
internal static class LegArguments
{
    private static readonly Option<bool> Upstream = new("--tls-upstream") { Description = "Speak TLS to the server, whose certificate is verified; to an FTP server FTPS" };
    private static readonly Option<string?> Ca = new("--ca") { Description = "Trust the roots in this PEM file in place of the machine's", HelpName = "FILE" };
    private static readonly Option<string?> Name = new("--tls-name") { Description = "The server's name in TLS, where --to is an address or another name", HelpName = "NAME" };
    private static readonly Option<string[]?> Downstream = new("--tls-downstream")
    {
        Description = "Clients speak TLS to us: PEM files with our certificate (and those between it and its root) and with its key",
        HelpName = "CERT KEY",
        Arity = new ArgumentArity(2, 2),
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<bool> ProxyIn = new("--proxy-in") { Description = "Every client begins with a PROXY header, version 1 or 2, that says whose connection it is: for proxies before us" };
    private static readonly Option<ProxyVersion?> ProxyOut = CommandLine.Option<ProxyVersion?>("--proxy-out", "Tell the server by a PROXY header whose connection it is: v1, v2", Version);

    public static IReadOnlyList<Option> All { get; } = [Upstream, Ca, Name, Downstream, ProxyIn, ProxyOut];

    /// <summary>Whether the server is spoken to in TLS: it then has another port.</summary>
    public static bool IsUpstream(ParseResult parsed) => parsed.GetValue(Upstream);

    /// <summary>Whether a leg is TLS: the sessions can then be read.</summary>
    public static bool HasTls(ParseResult parsed) => IsUpstream(parsed) || parsed.GetValue(Downstream) is { Length: > 0 };

    /// <summary>The files that are read at start.</summary>
    public static IEnumerable<string> Files(ParseResult parsed) => [.. parsed.GetValue(Downstream) ?? [], .. parsed.GetValue(Ca) is { } ca ? [ca] : Array.Empty<string>()];

    /// <summary>What is wrong with them together.</summary>
    public static IEnumerable<string> Faults(ParseResult parsed)
    {
        if (!parsed.GetValue(Upstream) && parsed.GetValue(Ca) is not null) yield return "--ca is for verifying a server: give it with --tls-upstream";
        if (!parsed.GetValue(Upstream) && parsed.GetValue(Name) is not null) yield return "--tls-name is for verifying a server: give it with --tls-upstream";
        if (parsed.GetValue(Name) is { } name && (name.Length == 0 || Uri.CheckHostName(name) == UriHostNameType.Unknown))
            yield return $"--tls-name: '{name}' is no host's name: give the one that the server's certificate bears, such as db.example.com";
    }

    /// <summary>The same gateway with these options.</summary>
    /// <exception cref="TlsFileException">A file is not what it should be.</exception>
    public static GatewayOptions Apply(ParseResult parsed, GatewayOptions options, Action<string> warn)
    {
        IReadOnlyList<string>? alpn = options.Protocol.Alpn;
        TlsDownstream? downstream = parsed.GetValue(Downstream) is [var certificate, var key] ? TlsDownstream.Load(certificate, key, alpn) : null;
        foreach (string warning in downstream?.Warnings ?? []) warn(warning);
        return options with
        {
            TlsUpstream = parsed.GetValue(Upstream) ? TlsUpstream.Load(parsed.GetValue(Name) ?? options.To.Host, parsed.GetValue(Ca), alpn) : null,
            TlsDownstream = downstream,
            ProxyIn = parsed.GetValue(ProxyIn),
            ProxyOut = parsed.GetValue(ProxyOut),
        };
    }

    private static bool Version(string text, out ProxyVersion? value, out string? fault)
    {
        value = text switch { "v1" => ProxyVersion.V1, "v2" => ProxyVersion.V2, _ => null };
        fault = value is null ? $"'{text}' is no version of the PROXY protocol: give v1 (a line of text) or v2 (binary)" : null;
        return fault is null;
    }
}
