using System.CommandLine;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KeepAlive.App.Web;
using KeepAlive.Gateway.Tls;
using KeepAlive.Sockets;

namespace KeepAlive.App.Configuration;

/// <summary>What is said of the page, as options.</summary>
internal static class DashboardArguments
{
    /// <summary>Where it listens, whatever the file says; a command line's word goes before it.</summary>
    public const string Variable = "KEEPALIVE_PAGE";

    /// <summary>The one that takes as many as one likes.</summary>
    public const string HostsName = "--hosts";

    private const int HostsMax = 64;
    private const int TokenCharsMin = 16;
    private const long TokenBytesMax = 4096;

    private static readonly Option<WebAddress?> Listen = CommandLine.Option<WebAddress?>("--listen", "Where the page is, or off; beyond loopback it wants --tls, and --token-file or --client-ca. 127.0.0.1:7200 where nothing is said, unless that is in use", AddressText);
    private static readonly Option<string[]> Hosts = new(HostsName) { Description = "Names that it may be called by, beside localhost and its address", Arity = new ArgumentArity(1, HostsMax), AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string[]> Tls = new("--tls") { Description = "PEM files: its certificate, with those that lead to its root, and the key", Arity = new ArgumentArity(2, 2), AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string?> TokenFileName = new("--token-file") { Description = "A file with a secret of 16 characters or more: who knows it may read and write, from anywhere" };
    private static readonly Option<string?> ClientCa = new("--client-ca") { Description = "A PEM file: clients with a certificate of these authorities may read and write, from anywhere" };

    public static Command Create() => new("dashboard", "The page.") { Listen, Hosts, Tls, TokenFileName, ClientCa };

    /// <summary>An address, or off.</summary>
    public static bool AddressText(string text, out WebAddress? value, out string? fault)
    {
        (value, fault) = (new WebAddress(null), null);
        if (text.Equals("off", StringComparison.OrdinalIgnoreCase)) return true;
        if (!HostPort.TryParseListen(text, out IPEndPoint? listen, out fault))
        {
            fault += "; or off";
            return false;
        }

        value = new WebAddress(listen);
        return true;
    }

    /// <summary>What it is, whatever its faults.</summary>
    public static WebOptions Read(ParseResult parsed, ConfigEntry entry, Action<string> warn, List<string> faults)
    {
        WebAddress? asked = parsed.GetValue(Listen);
        var options = new WebOptions
        {
            Listen = asked is null ? WebOptions.DefaultListen : asked.Listen,
            IsAsked = asked is not null,
            Hosts = parsed.GetValue(Hosts) ?? [],
        };
        if (options.Hosts.FirstOrDefault(host => Uri.CheckHostName(host) == UriHostNameType.Unknown) is { } bad) faults.Add($"--hosts: '{bad}' is not a name such as keepalive.example.com, without a port");
        var files = new List<string>();
        try
        {
            if (parsed.GetValue(Tls) is [var certificate, var key])
            {
                files.AddRange([certificate, key]);
                X509Certificate2Collection chain = TlsFiles.Certificates("--tls", certificate);
                options = options with { Certificate = TlsFiles.WithKey("--tls", chain[0], certificate, key, out IReadOnlyList<string> warnings), Chain = chain };
                foreach (string warning in warnings) warn($"dashboard: {warning}");
            }

            if (parsed.GetValue(ClientCa) is { } authority)
            {
                files.Add(authority);
                options = options with { ClientAuthorities = TlsFiles.Certificates("--client-ca", authority) };
            }
        }
        catch (TlsFileException e)
        {
            faults.Add(e.Message);
        }

        if (parsed.GetValue(TokenFileName) is { } tokenFile)
        {
            files.Add(tokenFile);
            options = options with { Token = ReadToken(tokenFile, faults) };
        }

        if (faults.Count == 0 && WhyNot(options) is { } why) faults.Add(why);
        return options with { Fingerprint = entry.Fingerprint(files) };
    }

    /// <summary>Why such a page is not to be; null when it may.</summary>
    public static string? WhyNot(WebOptions options)
    {
        if (options.ClientAuthorities is not null && options.Certificate is null) return "--client-ca: certificates are shown in TLS only: give --tls";
        if (!options.IsRemote) return null;
        string from = $"--listen: {options.Listen} is reached from beyond this machine";
        if (options.Certificate is null) return $"{from}, and without --tls everything could be read on the way: give --tls, or an address such as {WebOptions.DefaultListen}";
        return options.Token is null && options.ClientAuthorities is null ? $"{from}, by anybody: give --token-file or --client-ca" : null;
    }

    private static byte[]? ReadToken(string file, List<string> faults)
    {
        try
        {
            if (new FileInfo(file).Length > TokenBytesMax) faults.Add($"--token-file: '{file}' is longer than {TokenBytesMax} bytes: give a file with one line");
            else if (File.ReadAllText(file).Trim() is { Length: >= TokenCharsMin } token) return Encoding.UTF8.GetBytes(token);
            else faults.Add($"--token-file: what is in '{file}' is shorter than {TokenCharsMin} characters, and could be guessed: write what 'openssl rand -hex 16' prints into it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            faults.Add($"--token-file: cannot read '{file}': {e.Message}");
        }

        return null;
    }
}
