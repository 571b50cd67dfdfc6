using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>Real servers of protocols of lines, on the lab's server host.</summary>
internal static class LineServers
{
    public const int Imap = 1430;
    public const int Imaps = 9930;
    public const int Pop3 = 1100;
    public const int Smtp = 2525;
    public const int Irc = 6660;
    public const int Nats = 4220;

    /// <summary>Where Dovecot looks for the mail of the one user there is.</summary>
    public static string NewMail(WorkFolder work) => work.File("mail/u/new");

    /// <param name="lab">Where.</param>
    /// <param name="work">For its files.</param>
    /// <param name="port">Which server.</param>
    /// <param name="tls">Its certificate and key, where it needs them.</param>
    public static async Task<ChildProcess> StartAsync(NetworkLab lab, WorkFolder work, int port, (string Certificate, string Key)? tls = null)
    {
        ChildProcess server = await (port switch
        {
            Imap => DovecotAsync(lab, work, "imap", port),
            Imaps => DovecotAsync(lab, work, "imap", port, $"ssl = required\nssl_cert = <{tls!.Value.Certificate}\nssl_key = <{tls.Value.Key}", "ssl = yes"),
            Pop3 => DovecotAsync(lab, work, "pop3", port),
            Smtp => EximAsync(lab, work),
            Irc => NgircdAsync(lab, work),
            _ => lab.Server.StartAsync([Requires.Server("nats-server", "usr/sbin/nats-server"), "-a", $"{lab.Server.Address}", "-p", $"{port}"]),
        });
        await lab.Server.ListensAsync(port, server);
        return server;
    }

    // It looks for its parts where it was built to be.
    private static async Task<ChildProcess> DovecotAsync(NetworkLab lab, WorkFolder work, string protocol, int port, string ssl = "ssl = no", string listener = "")
    {
        string[] packages = ["dovecot-pop3d", "dovecot-imapd", "dovecot-core"];
        Requires.Server("dovecot-core", "usr/sbin/dovecot");
        string configuration = work.File("dovecot.conf"), mail = work.Folder("mail", (UnixFileMode)0b111_111_111);
        await WriteAsync(configuration, $$"""
            base_dir = {{work.Folder("run")}}
            state_dir = {{work.Folder("state")}}
            protocols = {{protocol}}
            listen = {{lab.Server.Address}}
            {{ssl}}
            disable_plaintext_auth = no
            log_path = /dev/stderr
            default_login_user = nobody
            default_internal_user = nobody
            default_internal_group = nogroup
            mail_location = maildir:{{mail}}/%u
            passdb {
              driver = static
              args = password=secret
            }
            userdb {
              driver = static
              args = uid=65534 gid=65534 home={{mail}}/%u
            }
            service {{protocol}}-login {
              chroot =
              inet_listener {{protocol}} {
                port = {{port}}
                {{listener}}
              }
            }
            service anvil {
              chroot =
            }
            """);
        return await lab.Server.StartAsync(Contained.Command([Contained.Usr(packages)], "/usr/sbin/dovecot", "-F", "-c", configuration));
    }

    // It does not start without the user that its package makes.
    private static async Task<ChildProcess> EximAsync(NetworkLab lab, WorkFolder work)
    {
        string program = Requires.Server("exim4-daemon-light", "usr/sbin/exim4"), configuration = work.File("exim.conf"), passwd = work.File("passwd"), group = work.File("group");
        await WriteAsync(passwd, await File.ReadAllTextAsync("/etc/passwd", TestContext.Current.CancellationToken) + "Debian-exim:x:65534:65534::/:/bin/false\n");
        await WriteAsync(group, await File.ReadAllTextAsync("/etc/group", TestContext.Current.CancellationToken) + "Debian-exim:x:65534:\n");
        await WriteAsync(configuration, $"""
            daemon_smtp_ports = {Smtp}
            local_interfaces = {lab.Server.Address}
            spool_directory = {work.Folder("spool", (UnixFileMode)0b111_111_111)}
            log_file_path = {work.Folder("log", (UnixFileMode)0b111_111_111)}/%slog
            keep_environment =
            tls_advertise_hosts =
            host_lookup =
            smtp_receive_timeout = 4s
            acl_smtp_rcpt = accept
            """);
        return await lab.Server.StartAsync(Contained.Command([$"mount --bind {passwd} /etc/passwd", $"mount --bind {group} /etc/group"], program, "-C", configuration, "-bdf"));
    }

    private static async Task<ChildProcess> NgircdAsync(NetworkLab lab, WorkFolder work)
    {
        string program = Requires.Server("ngircd", "usr/sbin/ngircd"), configuration = work.File("ngircd.conf");
        await WriteAsync(configuration, $"""
            [Global]
            Name = irc.example
            Info = x
            Listen = {lab.Server.Address}
            Ports = {Irc}
            MotdPhrase = hi
            [Options]
            Ident = no
            PAM = no
            DNS = no
            """);
        return await lab.Server.StartAsync([program, "-n", "-f", configuration]);
    }

    private static Task WriteAsync(string path, string text) => File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
}
