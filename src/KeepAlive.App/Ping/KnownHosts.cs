using System.Buffers;
using System.Text;
using KeepAlive.Protocols.Ssh;
using KeepAlive.Sockets;

namespace KeepAlive.App.Ping;

/// <summary>
/// Whether a server's key is the expected one, by ssh's own files or by one that is named. A new key is recorded where that was asked for, a
/// changed or a revoked one is refused always.
/// </summary>
internal sealed class KnownHosts
{
    private const string Global = "/etc/ssh/ssh_known_hosts";

    // A line is about 200 bytes: a hundred thousand servers' keys.
    private const int BytesMax = 32 << 20;

    private static readonly SearchValues<char> Meaningful = SearchValues.Create(",*?!|@#");

    // While another process records a key.
    private const int TriesMax = 50;
    private static readonly TimeSpan TryEvery = TimeSpan.FromMilliseconds(20);

    private readonly HostPort _server;
    private readonly string _path;
    private readonly string _others;
    private SshKnownHosts _known;

    private KnownHosts(HostPort server, string path, string others)
    {
        (_server, _path, _others) = (server, path, others);
        _known = SshKnownHosts.Parse($"{Read(path)}\n{others}");
    }

    /// <summary>New keys are recorded.</summary>
    public bool AcceptsNew { get; init; }

    /// <summary>All algorithms, those of the keys that are known first.</summary>
    public SshOffer Offer => _known.Prefer(_server.Host, _server.Port);

    /// <summary>What is known of a server.</summary>
    /// <param name="server">As it is called.</param>
    /// <param name="path">The file; null for ssh's own, and the machine's beside it. None that does not exist is a fault.</param>
    /// <param name="acceptsNew">New keys are recorded.</param>
    /// <exception cref="IOException">A file cannot be read, or is too large.</exception>
    /// <exception cref="UnauthorizedAccessException">A file must not be read.</exception>
    public static KnownHosts Of(HostPort server, string? path, bool acceptsNew) =>
        new(server, path ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".ssh", "known_hosts"), path is null ? Read(Global) : "") { AcceptsNew = acceptsNew };

    /// <summary>Null when the key is the expected one; else why not, and what to do.</summary>
    public string? Judge(SshPublicKey key)
    {
        string shown = $"the key that {_server} shows, {key.Fingerprint} ({key.Kind}),";
        switch (_known.Judge(_server.Host, _server.Port, key))
        {
            case SshHostTrust.Known:
                return null;
            case SshHostTrust.Revoked:
                return $"{shown} is marked as revoked";
            case SshHostTrust.Changed:
                return $"{shown} is not the one in {_path}: somebody may be in between. Only if the server's owner says that the key is new, take the old one out there";
            default:
                if (AcceptsNew) return Record(key);
                string[] unspoken = [.. _known.Kinds(_server.Host, _server.Port)];
                return $"{shown} is not known{(unspoken.Length > 0 ? $" (keys of the kind {string.Join(", ", unspoken)} are, which is not spoken here)" : "")}: "
                    + $"ask the server's owner whether it is theirs (ssh-keygen -l -f its .pub file); then --accept-new records it in {_path}";
        }
    }

    // Once more judged by the file as it is now, which is locked meanwhile: what another process has recorded counts.
    private string? Record(SshPublicKey key)
    {
        if (_server.Host.AsSpan().ContainsAny(Meaningful)) return $"the key of '{_server.Host}' cannot be recorded: a part of that name has a meaning of its own in {_path}";
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(_path)) is { } folder && !Directory.Exists(folder)) CreateFolder(folder);
            using FileStream file = Open(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            string text = Text(file);
            _known = SshKnownHosts.Parse($"{text}\n{_others}");
            SshHostTrust trust = _known.Judge(_server.Host, _server.Port, key);
            if (trust != SshHostTrust.Unknown) return trust == SshHostTrust.Known ? null : Judge(key);
            string line = SshKnownHosts.Record(_server.Host, _server.Port, key);
            // One write, so that it is there whole or not at all; a last line that has no end gets one.
            file.Seek(0, SeekOrigin.End);
            file.Write(Encoding.UTF8.GetBytes($"{(text.Length == 0 || text[^1] == '\n' ? "" : "\n")}{line}\n"));
            _known = SshKnownHosts.Parse($"{text}\n{line}\n{_others}");
            CommandLine.Complain($"keepalive ping: the key of {_server}, {key.Fingerprint} ({key.Kind}), is recorded in {_path}");
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"the key of {_server}, {key.Fingerprint} ({key.Kind}), cannot be recorded: {e.Message}";
        }
    }

    private static string Read(string path)
    {
        if (!File.Exists(path)) return "";
        using FileStream file = Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return Text(file);
    }

    private static string Text(FileStream file)
    {
        if (file.Length > BytesMax) throw new IOException($"'{file.Name}' has {file.Length} bytes: at most {BytesMax} are read");
        byte[] bytes = new byte[file.Length];
        return Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
    }

    private static FileStream Open(string path, FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode == FileMode.OpenOrCreate) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        for (int tries = 1; ; tries++)
        {
            try
            {
                return new FileStream(path, options);
            }
            catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException) && tries < TriesMax)
            {
                Thread.Sleep(TryEvery); // locked
            }
        }
    }

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
