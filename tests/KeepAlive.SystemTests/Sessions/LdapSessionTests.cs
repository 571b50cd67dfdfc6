using System.DirectoryServices.Protocols;
using System.Net;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>
/// Sessions of the OpenLDAP client library and of ldapsearch with slapd, silent for 24 s behind a middlebox that forgets after 8 s, while slapd
/// itself ends what is idle for 4 s: lost without us and by kernel keepalive alone, held by either of our probes.
/// </summary>
public sealed class LdapSessionTests
{
    internal const int Port = 3890;

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(24);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    [Fact]
    public async Task Outlives_the_middlebox_and_the_server_s_idle_limit_through_the_gateway()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess slapd = await StartSlapdAsync(lab, work);
        await using GatewayProcess abandon = await StartGatewayAsync(lab, "--probe", "2:3:2");
        await using GatewayProcess search = await StartGatewayAsync(lab, "--probe", "2:3:2", "--ldap-probe", "search");
        await using GatewayProcess kernel = await StartGatewayAsync(lab, "--probe", "off");
        await Outcomes.AssertAsync(() => $"{abandon.Transcript}\n{search.Transcript}",
            ("alone", OutcomeAsync(lab, $"{lab.Server.Address}", Port), "lost"),
            ("kernel keepalive alone", OutcomeAsync(lab, "127.0.0.1", kernel.Port), "lost"),
            ("Abandon", OutcomeAsync(lab, "127.0.0.1", abandon.Port), "kept"),
            ("search", OutcomeAsync(lab, "127.0.0.1", search.Port), "kept"),
            ("ldapsearch, alone", PagesAsync(lab, $"{lab.Server.Address}", Port), "lost"),
            ("ldapsearch, Abandon", PagesAsync(lab, "127.0.0.1", abandon.Port), "kept"),
            ("ldapsearch, search", PagesAsync(lab, "127.0.0.1", search.Port), "kept"));
        Assert.True(search.Count("probe-answered") >= 8, search.Transcript);
        Assert.True(abandon.Count("probe-sent") >= 8, abandon.Transcript);
        Assert.Equal(0, abandon.Count("plain-relay") + search.Count("plain-relay"));
    }

    private static Task<GatewayProcess> StartGatewayAsync(NetworkLab lab, params string[] options) =>
        GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", Port, ["--protocol", "ldap", "--tcp", "3:3:2", .. options]);

    internal static async Task<ChildProcess> StartSlapdAsync(NetworkLab lab, WorkFolder work)
    {
        string program = Requires.Server("slapd", "usr/sbin/slapd"), root = program[..^"usr/sbin/slapd".Length], configuration = work.File("slapd.conf");
        Directory.CreateDirectory(work.File("db"));
        await File.WriteAllTextAsync(configuration, $"""
            include {root}etc/ldap/schema/core.schema
            modulepath {root}usr/lib/ldap
            moduleload back_mdb
            pidfile {work.File("pid")}
            idletimeout 4
            database mdb
            suffix "dc=ka,dc=test"
            rootdn "cn=admin,dc=ka,dc=test"
            rootpw secret
            directory {work.File("db")}
            access to * by * read
            """, TestContext.Current.CancellationToken);
        // A library of its own is beside it.
        var own = new Dictionary<string, string> { ["LD_LIBRARY_PATH"] = string.Join(':', Directory.GetDirectories($"{root}usr/lib")) };
        ChildProcess slapd = await lab.Server.StartAsync([program, "-d", "0", "-f", configuration, "-h", $"ldap://{lab.Server.Address}:{Port}/"], environment: own);
        await lab.Server.ListensAsync(Port, slapd);
        Requires.Programs("ldapsearch", "ldapadd");
        string entries = "dn: dc=ka,dc=test\nobjectClass: dcObject\nobjectClass: organization\ndc: ka\no: ka\n\ndn: o=one,dc=ka,dc=test\nobjectClass: organization\no: one\n";
        await lab.Client.RunAsync(["ldapadd", "-x", "-H", $"ldap://{lab.Server.Address}:{Port}/", "-D", "cn=admin,dc=ka,dc=test", "-w", "secret"], entries);
        return slapd;
    }

    // ldapsearch asks for one entry a page, and for the next when its user says so: the second after the silence.
    private static async Task<string> PagesAsync(NetworkLab lab, string host, int port)
    {
        string script = $"(sleep {Silence.TotalSeconds}; echo) | timeout {(Silence + Patience).TotalSeconds} ldapsearch -x -LLL -H ldap://{host}:{port}/ -b dc=ka,dc=test -E pr=1 o 2>&1";
        await using ChildProcess shell = await lab.Client.StartAsync(["sh", "-c", script]);
        await shell.WaitForExitAsync(Silence + Patience + Patience);
        return shell.Lines.Contains("o: ka") && shell.Lines.Contains("o: one") ? "kept" : "lost";
    }

    // The library connects, and speaks, on the thread that calls it: the whole session is on the client's host.
    private static Task<string> OutcomeAsync(NetworkLab lab, string server, int port) => lab.Client.InsideAsync(() =>
    {
        using var connection = new LdapConnection(new LdapDirectoryIdentifier(server, port), new NetworkCredential("cn=admin,dc=ka,dc=test", "secret"), AuthType.Basic) { Timeout = Patience };
        connection.SessionOptions.ProtocolVersion = 3;
        connection.AutoBind = false;
        connection.Bind();
        Ask(connection);
        Thread.Sleep(Silence); // the silence is what is tried
        try
        {
            Ask(connection);
            return "kept";
        }
        catch (Exception e) when (e is LdapException or DirectoryOperationException)
        {
            return "lost";
        }
    });

    private static void Ask(LdapConnection connection) =>
        Assert.Equal(ResultCode.Success, connection.SendRequest(new SearchRequest("", "(objectClass=*)", SearchScope.Base, "namingContexts")).ResultCode);
}
