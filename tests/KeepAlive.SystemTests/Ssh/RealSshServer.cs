using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ssh;

/// <summary>OpenSSH's sshd, or ProFTPD with mod_sftp, on the lab's server host: root, or kat, with a password or by a key.</summary>
internal static class RealSshServer
{
    public const int OpenSshPort = 2222;
    public const int ProFtpdPort = 2223;
    public const string Password = "secret";

    /// <summary>sshd, which starts itself again by its absolute path, and wants a folder and a user of its package: so it has mounts of its own.</summary>
    /// <param name="lab">Where.</param>
    /// <param name="work">Its files.</param>
    /// <param name="settings">Lines of sshd_config.</param>
    public static async Task<ChildProcess> OpenSshAsync(NetworkLab lab, WorkFolder work, params string[] settings)
    {
        _ = Requires.Server("openssh-server", "usr/sbin/sshd");
        Requires.Programs("openssl", "ssh-keygen");
        string configuration = work.File("sshd_config"), passwd = work.File("sshd-passwd"), shadow = work.File("sshd-shadow");
        await KeyAsync(work.File("host-ecdsa"), "ecdsa");
        await KeyAsync(work.File("host-rsa"), "rsa");
        await KeyAsync(work.File("host-ed25519"), "ed25519"); // for who names it in the settings
        await KeyAsync(work.File("user"), "ecdsa");
        string hash = (await ChildProcess.RunAsync(["openssl", "passwd", "-6", Password])).Trim();
        await WriteAsync(passwd, "root:x:0:0::/:/bin/sh\nsshd:x:65534:65534::/run/sshd:/bin/false\nnobody:x:65534:65534::/:/bin/false\n");
        await WriteAsync(shadow, $"root:{hash}:19000::::::\nsshd:*:19000::::::\n");
        await WriteAsync(configuration, $"""
            Port {OpenSshPort}
            ListenAddress {lab.Server.Address}
            HostKey {work.File("host-ecdsa")}
            HostKey {work.File("host-rsa")}
            PidFile none
            AuthorizedKeysFile {work.File("user.pub")}
            StrictModes no
            UsePAM no
            UseDNS no
            PermitRootLogin yes
            TCPKeepAlive no
            LogLevel DEBUG2
            Subsystem sftp internal-sftp
            {string.Join('\n', settings)}

            """);
        ChildProcess sshd = await lab.Server.StartAsync(Contained.Command(
            [Contained.Usr("openssh-server"), "mount -t tmpfs tmpfs /run", "mkdir -m 755 /run/sshd", $"mount --bind {passwd} /etc/passwd", $"mount --bind {shadow} /etc/shadow"],
            "/usr/sbin/sshd", "-D", "-e", "-f", configuration));
        await lab.Server.ListensAsync(OpenSshPort, sshd);
        return sshd;
    }

    /// <summary>ProFTPD with mod_sftp, which probes as it is told.</summary>
    /// <param name="lab">Where.</param>
    /// <param name="work">Its files.</param>
    /// <param name="settings">More lines of its configuration, such as <c>SFTPClientAlive 3 2</c>.</param>
    public static async Task<ChildProcess> ProFtpdAsync(NetworkLab lab, WorkFolder work, params string[] settings)
    {
        string program = Requires.Server("proftpd-core", "usr/sbin/proftpd"), configuration = work.File("proftpd.conf"), passwd = work.File("proftpd-passwd");
        string modules = Path.GetDirectoryName(Requires.Server("proftpd-mod-crypto", "usr/lib/proftpd/mod_sftp.so"))!;
        await KeyAsync(work.File("sftp-host"), "rsa");
        string hash = (await ChildProcess.RunAsync(["openssl", "passwd", "-6", Password])).Trim();
        await WriteAsync(passwd, $"kat:{hash}:65534:65534::{work.Folder("home")}:/bin/sh\n");
        File.SetUnixFileMode(passwd, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await WriteAsync(configuration, $"""
            ModulePath {modules}
            LoadModule mod_sftp.c
            ServerType standalone
            ServerName lab
            Port {ProFtpdPort}
            DefaultAddress {lab.Server.Address}
            SocketBindTight on
            UseIPv6 off
            UseReverseDNS off
            WtmpLog off
            SystemLog none
            DelayEngine off
            PidFile {work.File("proftpd.pid")}
            ScoreboardFile {work.File("scoreboard")}
            User nobody
            Group nogroup
            RequireValidShell off
            AuthOrder mod_auth_file.c
            AuthUserFile {passwd}
            SFTPEngine on
            SFTPHostKey {work.File("sftp-host")}
            SFTPLog {work.File("sftp.log")}
            SocketOptions keepalive off
            {string.Join('\n', settings)}

            """);
        ChildProcess proftpd = await lab.Server.StartAsync([program, "-n", "-c", configuration]);
        await lab.Server.ListensAsync(ProFtpdPort, proftpd);
        return proftpd;
    }

    /// <summary>A key in a file that OpenSSL can read, and its public half beside it.</summary>
    public static Task KeyAsync(string path, string kind) => ChildProcess.RunAsync(["ssh-keygen", "-q", "-t", kind, "-m", "PEM", "-N", "", "-f", path]);

    private static Task WriteAsync(string path, string text) => File.WriteAllTextAsync(path, text);
}
