using System.CommandLine;
using System.Security.Cryptography;
using KeepAlive.Protocols.Callers;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.App.Ping;

/// <summary>What only <c>ssh://</c> and <c>sftp://</c> need: the user's key, the server's, and the keepalive's name.</summary>
internal static class SshCall
{
    // A key of 8192 bits has 7 KB.
    private const int IdentityBytesMax = 64 * 1024;

    private static readonly Option<string?> Identity = new("--identity") { Description = "SSH: log in by the private key in this file, ECDSA or RSA, not encrypted", HelpName = "FILE" };
    private static readonly Option<string?> KnownHostsFile = new("--known-hosts") { Description = "SSH: whose key servers have; ~/.ssh/known_hosts and the machine's unless given", HelpName = "FILE" };
    private static readonly Option<bool> AcceptNew = new("--accept-new") { Description = "SSH: trust and record the key of a server that has none there; a changed one never" };
    private static readonly Option<string?> Name = CommandLine.Option<string?>("--ssh-name", "SSH: whose keepalive is sent: openssh (keepalive@openssh.com, unless given), proftpd (keepalive@proftpd.org)", ReadName);

    public static Option[] Options { get; } = [Identity, KnownHostsFile, AcceptNew, Name];

    /// <summary>Whether a key was given, so that no password is asked for.</summary>
    public static bool HasIdentity(ParseResult parsed) => parsed.GetValue(Identity) is not null;

    /// <summary>Reads what was given; null where SSH is not spoken.</summary>
    /// <returns>False when it makes no sense; the fault says why and what to do.</returns>
    public static bool TryRead(ParseResult parsed, PingUrl url, out SshCallDetails? ssh, out string? fault)
    {
        (ssh, fault) = (null, null);
        if (!url.Scheme.IsSsh)
        {
            Option? stray = Array.Find(Options, option => parsed.GetResult(option) is { Implicit: false });
            fault = stray is null ? null : $"{stray.Name} is for ssh:// and sftp://, not for {url.Scheme.Name}://";
            return fault is null;
        }

        try
        {
            KnownHosts hosts = KnownHosts.Of(url.To, parsed.GetValue(KnownHostsFile), parsed.GetValue(AcceptNew));
            SshPrivateKey? key = null;
            if (parsed.GetValue(Identity) is { } path && !TryReadKey(path, out key, out fault)) return false;
            ssh = new SshCallDetails
            {
                Random = RandomNumberGenerator.Fill,
                Judge = hosts.Judge,
                Offer = hosts.Offer,
                Key = key,
                Subsystem = url.Scheme.Name == "sftp" ? "sftp" : null,
                KeepAliveName = parsed.GetValue(Name) ?? SshKeepAlive.OpenSshName,
            };
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            fault = $"a file of known servers cannot be read: {e.Message}";
            return false;
        }
    }

    private static bool TryReadKey(string path, out SshPrivateKey? key, out string? fault)
    {
        key = null;
        try
        {
            const UnixFileMode Others = (UnixFileMode)0b111_111; // ssh will not have such a file either
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0) fault = $"--identity: others may use '{path}', which holds a secret: chmod 600 it";
            else if (new FileInfo(path).Length > IdentityBytesMax) fault = $"--identity: '{path}' is longer than a key can be";
            else if (!SshPrivateKey.TryParsePem(File.ReadAllText(path), out key, out string? bad)) fault = $"--identity: '{path}': {bad}";
            else fault = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            fault = $"--identity: {e.Message}";
        }

        return fault is null;
    }

    private static bool ReadName(string text, out string? value, out string? fault)
    {
        value = text switch { "openssh" or SshKeepAlive.OpenSshName => SshKeepAlive.OpenSshName, "proftpd" or SshKeepAlive.ProFtpdName => SshKeepAlive.ProFtpdName, _ => null };
        fault = value is null ? $"'{text}' is not known: give openssh or proftpd" : null;
        return fault is null;
    }
}
