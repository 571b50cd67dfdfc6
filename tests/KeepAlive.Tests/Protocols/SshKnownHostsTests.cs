using System.Security.Cryptography;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.Tests.Protocols;

/// <summary>What a known_hosts file says of a key: plain, hashed and wild names, ports, several keys, revoked ones.</summary>
public sealed class SshKnownHostsTests
{
    private static readonly SshPublicKey Key = SshPair.HostKey.Public;
    private static readonly SshPublicKey Other = SshPrivateKey.Generate().Public;
    private static readonly SshPublicKey Rsa = SshPrivateKey.Of(RSA.Create(2048))!.Public;
    private const string Foreign = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    [Theory]
    [InlineData("server.example", SshHostTrust.Known)]
    [InlineData("Server.Example", SshHostTrust.Known)]
    [InlineData("other,server.example,192.0.2.1", SshHostTrust.Known)]
    [InlineData("*.example", SshHostTrust.Known)]
    [InlineData("s*r.ex*l?", SshHostTrust.Known)]
    [InlineData("*", SshHostTrust.Known)]
    [InlineData("*,!server.example", SshHostTrust.Unknown)]
    [InlineData("!*.example,server.example", SshHostTrust.Unknown)]
    [InlineData("server.exampl", SshHostTrust.Unknown)]
    [InlineData("?server.example", SshHostTrust.Unknown)]
    [InlineData("[server.example]:22", SshHostTrust.Unknown)] // ssh writes the usual port without brackets
    [InlineData("[server.example]:2222", SshHostTrust.Unknown)]
    [InlineData(",", SshHostTrust.Unknown)]
    [InlineData("!", SshHostTrust.Unknown)]
    [InlineData("|1|", SshHostTrust.Unknown)]
    [InlineData("|1|AAAA|AAAA", SshHostTrust.Unknown)]
    [InlineData("|2|AAAA|AAAA|", SshHostTrust.Unknown)]
    public void A_line_is_of_the_hosts_it_names(string hosts, object trustValue)
    {
        var trust = (SshHostTrust)trustValue;
        SshKnownHosts known = SshKnownHosts.Parse($"{hosts} {Key} somebody's comment\n");
        Assert.Equal(trust, known.Judge("server.example", 22, Key));
        Assert.Equal(trust == SshHostTrust.Known ? SshHostTrust.Changed : SshHostTrust.Unknown, known.Judge("server.example", 22, Other));
    }

    [Fact]
    public void Another_port_is_another_server()
    {
        SshKnownHosts known = SshKnownHosts.Parse($"server.example {Key}\n[server.example]:2222 {Other}\n[2001:db8::1]:2222 {Key}");
        Assert.Equal(SshHostTrust.Known, known.Judge("server.example", 22, Key));
        Assert.Equal(SshHostTrust.Changed, known.Judge("server.example", 2222, Key));
        Assert.Equal(SshHostTrust.Known, known.Judge("server.example", 2222, Other));
        Assert.Equal(SshHostTrust.Unknown, known.Judge("server.example", 2223, Key));
        Assert.Equal(SshHostTrust.Known, known.Judge("2001:db8::1", 2222, Key));
    }

    /// <summary>As <c>ssh-keygen -H</c> has written them.</summary>
    [Theory]
    [InlineData("server.example", 22, "|1|UjZviedR3+XKe2/xRPBvUZMfNE4=|iYER16YAatx9ULzB6c6lL2H0KkE=")]
    [InlineData("SERVER.example", 2222, "|1|25Ou/aY3rlcSXhNPFOA5HX23bas=|aWMI6k29nJkfxnYPaee1unPxwlc=")]
    public void Names_may_be_hashed(string host, int port, string name)
    {
        SshKnownHosts known = SshKnownHosts.Parse($"{name} {Key}");
        Assert.Equal(SshHostTrust.Known, known.Judge(host, port, Key));
        Assert.Equal(SshHostTrust.Changed, known.Judge(host, port, Other));
        Assert.Equal(SshHostTrust.Unknown, known.Judge("x" + host, port, Key));
        Assert.Equal(SshHostTrust.Unknown, known.Judge(host, port + 1, Key));
        string longer = $"|1|{Convert.ToBase64String(new byte[2000])}|{name.Split('|')[3]}";
        Assert.Equal(SshHostTrust.Unknown, SshKnownHosts.Parse($"{longer} {Key}").Judge(host, port, Key));
    }

    [Fact]
    public void A_host_may_have_several_keys_and_its_kinds_are_asked_for_first()
    {
        SshKnownHosts known = SshKnownHosts.Parse($"# a comment\n\nserver.example {Rsa}\r\nserver.example {Foreign}\n  server.example\t{Key}\nserver.example {Other}\n");
        Assert.Equal(SshHostTrust.Known, known.Judge("server.example", 22, Key));
        Assert.Equal(SshHostTrust.Known, known.Judge("server.example", 22, Other));
        Assert.Equal(["ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256"], known.Kinds("server.example", 22));
        Assert.Equal(["rsa-sha2-512", "rsa-sha2-256", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384"], SshKnownHosts.Parse($"server.example {Rsa}").Prefer("server.example", 22).HostKeys);
        Assert.Equal(SshOffer.Default.HostKeys, known.Prefer("another.example", 22).HostKeys);
    }

    [Fact]
    public void A_key_of_another_kind_than_those_recorded_is_a_changed_one_where_they_could_have_been_shown()
    {
        Assert.Equal(SshHostTrust.Changed, SshKnownHosts.Parse($"server.example {Rsa}").Judge("server.example", 22, Key));
        Assert.Equal(SshHostTrust.Unknown, SshKnownHosts.Parse($"server.example {Foreign}").Judge("server.example", 22, Key));
    }

    [Fact]
    public void A_revoked_key_is_refused_though_it_is_known_and_an_authority_s_is_no_server_s()
    {
        SshKnownHosts known = SshKnownHosts.Parse($"server.example {Key}\n@revoked * {Key}\n@cert-authority server.example {Other}\n@nonsense server.example {Other}");
        Assert.Equal(SshHostTrust.Revoked, known.Judge("server.example", 22, Key));
        Assert.Equal(SshHostTrust.Changed, known.Judge("server.example", 22, Other));
        Assert.Equal(SshHostTrust.Unknown, SshKnownHosts.Parse($"@revoked * {Key}").Judge("server.example", 22, Other));
    }

    [Fact]
    public void What_is_recorded_is_known()
    {
        foreach ((string host, int port) in ((string, int)[])[("Server.example", 22), ("192.0.2.1", 2222), ("2001:db8::1", 22)])
            Assert.Equal(SshHostTrust.Known, SshKnownHosts.Parse(SshKnownHosts.Record(host, port, Key)).Judge(host, port, Key));
    }

    [Fact]
    public void Any_text_may_stand_there()
    {
        var random = new Random(20261121);
        const string Letters = "|1@*?!,[]: \t\nserver.exampleAA==#";
        for (int run = 0; run < 2000; run++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(80)).Select(_ => Letters[random.Next(Letters.Length)])) + $" {Key}\n";
            SshKnownHosts known = SshKnownHosts.Parse(text);
            known.Judge("server.example", 22, Other);
            known.Kinds("server.example", 2222);
        }

        string slow = string.Concat(Enumerable.Repeat("*a", 5000));
        Assert.Equal(SshHostTrust.Unknown, SshKnownHosts.Parse($"{slow}b {Key}").Judge(new string('a', 255), 22, Key)); // no pattern takes for ever
    }
}
