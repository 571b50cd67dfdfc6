using System.Globalization;
using System.Security.Cryptography;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ftp;

public enum FtpServerName
{
    /// <summary>Throttled by TransferRate, so that its read and write loop polls the control connection: answers at once.</summary>
    ProFtpd,

    /// <summary>Unthrottled, so that it sends with sendfile and reads nothing meanwhile. Its clients limit the rate.</summary>
    ProFtpdSendfile,
    Vsftpd,

    /// <summary>vsftpd that takes no session without TLS, on the control and the data connection.</summary>
    VsftpdTls,

    /// <summary><see cref="ProFtpd"/> with mod_tls, required for control and data, as it comes.</summary>
    ProFtpdTls,
    PureFtpd,
}

/// <summary>A real server on the lab's server host, with one file to fetch and a folder to store in.</summary>
public sealed class RealFtpServer : IAsyncDisposable
{
    /// <summary>Three times the lab's binding timeout.</summary>
    public const int TransferSeconds = 24;
    public const int BytesPerSecond = 400 * 1024;
    public const int Port = 2121;

    /// <summary>The passive ports of <see cref="FtpServerName.VsftpdTls"/>.</summary>
    public const string PassiveRange = "40100-40109";

    private readonly WorkFolder _work = new();
    private readonly NetworkSpace _host;
    private ChildProcess? _daemon;

    private RealFtpServer(NetworkSpace host, FtpServerName name) => (_host, Name) = (host, name);

    public FtpServerName Name { get; }

    /// <summary>The process that starts those of the sessions.</summary>
    public int Id => _daemon!.Id;

    public string Address => _host.Address.ToString();

    public bool IsTls => Name is FtpServerName.VsftpdTls or FtpServerName.ProFtpdTls;

    /// <summary>What a client of <see cref="IsTls"/> trusts: a certificate for <see cref="Host"/>.</summary>
    public string CertificateFile => _work.File("cert");

    /// <summary>The name in its certificate.</summary>
    public const string Host = "ftp.lab.example";

    private bool IsVsftpd => Name is FtpServerName.Vsftpd or FtpServerName.VsftpdTls;

    public string User => IsVsftpd ? "anonymous" : "kat";

    public string Password => IsVsftpd ? "a@b" : "secret";

    /// <summary>The path a client stores to.</summary>
    public string UploadPath => IsVsftpd ? "up/stored" : "stored";

    /// <summary>The file to move, of a size that takes the time.</summary>
    public string FilePath => _work.File("home/big");

    public string StoredPath => _work.File("home/" + UploadPath);

    public bool ClientMustLimitRate => Name == FtpServerName.ProFtpdSendfile;

    public static async Task<RealFtpServer> StartAsync(NetworkLab lab, FtpServerName name)
    {
        var server = new RealFtpServer(lab.Server, name);
        try
        {
            await server.PrepareAsync();
            server._daemon = await lab.Server.StartAsync(server.Command());
            await lab.Server.ListensAsync(Port, server._daemon);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null) await _daemon.DisposeAsync();
        _work.Dispose();
    }

    private async Task PrepareAsync()
    {
        _work.Folder("home");
        if (IsTls)
        {
            await ChildProcess.RunAsync(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", _work.File("key"), "-out", CertificateFile, "-days", "2", "-subj", $"/CN={Host}", "-addext", $"subjectAltName=DNS:{Host}"]);
        }

        byte[] file = RandomNumberGenerator.GetBytes(TransferSeconds * BytesPerSecond);
        await File.WriteAllBytesAsync(FilePath, file);
        if (IsVsftpd)
        {
            await ChildProcess.RunAsync(["chown", "daemon", _work.Folder("home/up")]);
            _work.Folder("empty");
            await File.WriteAllTextAsync(_work.File("conf"), VsftpdConfiguration() + (IsTls ? VsftpdTlsConfiguration() : ""));
            return;
        }

        await ChildProcess.RunAsync(["chown", "-R", "65534:65534", _work.File("home")]);
        string hash = (await ChildProcess.RunAsync(["openssl", "passwd", "-6", Password])).Trim();
        string entry = Name == FtpServerName.PureFtpd
            ? $"{User}:{hash}:65534:65534::{_work.File("home")}/./::::::::::::\n"
            : $"{User}:{hash}:65534:65534::{_work.File("home")}:/bin/sh\n";
        await File.WriteAllTextAsync(_work.File("passwd"), entry);
        File.SetUnixFileMode(_work.File("passwd"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (Name == FtpServerName.PureFtpd)
            await ChildProcess.RunAsync([Requires.Server("pure-ftpd", "usr/bin/pure-pw"), "mkdb", _work.File("pdb"), "-f", _work.File("passwd")]);
        else
            await File.WriteAllTextAsync(_work.File("conf"), (IsTls ? ProFtpdTlsConfiguration() : "") + ProFtpdConfiguration());
    }

    private string[] Command() => Name switch
    {
        FtpServerName.Vsftpd or FtpServerName.VsftpdTls => [Requires.Server("vsftpd", "usr/sbin/vsftpd"), _work.File("conf")],
        FtpServerName.PureFtpd =>
        [
            Requires.Server("pure-ftpd", "usr/sbin/pure-ftpd"), "-S", $"{Address},{Port}", "-l", $"puredb:{_work.File("pdb")}", "-E", "-A", "-H",
            "-g", _work.File("pid"), "-T", string.Create(CultureInfo.InvariantCulture, $"{BytesPerSecond / 1024}"),
        ],
        _ => [Requires.Server("proftpd-core", "usr/sbin/proftpd"), "-n", "-c", _work.File("conf")],
    };

    // Not isolated: a session in a namespace of its own would outlive the lab, which ends what is in its namespaces.
    private string VsftpdConfiguration() => $"""
        listen=YES
        listen_address={Address}
        listen_port={Port}
        background=NO
        anonymous_enable=YES
        no_anon_password=YES
        local_enable=NO
        write_enable=YES
        anon_upload_enable=YES
        anon_umask=022
        anon_root={_work.File("home")}
        secure_chroot_dir={_work.File("empty")}
        ftp_username=daemon
        nopriv_user=nobody
        xferlog_enable=NO
        seccomp_sandbox=NO
        isolate=NO
        isolate_network=NO
        anon_max_rate={BytesPerSecond}

        """;

    private string VsftpdTlsConfiguration() => $"""
        ssl_enable=YES
        require_ssl_reuse=YES
        allow_anon_ssl=YES
        force_anon_logins_ssl=YES
        force_anon_data_ssl=YES
        rsa_cert_file={CertificateFile}
        rsa_private_key_file={_work.File("key")}
        pasv_min_port={PassiveRange.Split('-')[0]}
        pasv_max_port={PassiveRange.Split('-')[1]}

        """;

    // TLSOptions are left alone: the data connection's session must be the control connection's.
    private string ProFtpdTlsConfiguration() => $"""
        ModulePath {Path.GetDirectoryName(Requires.Server("proftpd-mod-crypto", "usr/lib/proftpd/mod_tls.so"))}
        LoadModule mod_tls.c
        TLSEngine on
        TLSRequired on
        TLSLog none
        TLSRSACertificateFile {CertificateFile}
        TLSRSACertificateKeyFile {_work.File("key")}

        """;

    private string ProFtpdConfiguration() => $"""
        ServerType standalone
        ServerName lab
        Port {Port}
        DefaultAddress {Address}
        SocketBindTight on
        UseIPv6 off
        UseReverseDNS off
        WtmpLog off
        SystemLog none
        DelayEngine off
        PidFile {_work.File("pid")}
        ScoreboardFile {_work.File("scoreboard")}
        User nobody
        Group nogroup
        RequireValidShell off
        AuthOrder mod_auth_file.c
        AuthUserFile {_work.File("passwd")}
        {(Name is FtpServerName.ProFtpd or FtpServerName.ProFtpdTls ? $"UseSendfile off\nTransferRate RETR,STOR {BytesPerSecond / 1024}" : "UseSendfile on")}

        """;
}
