using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Callers;
using KeepAlive.Protocols.Http;
using KeepAlive.Protocols.Ldap;

namespace KeepAlive.Tests.Protocols;

/// <summary>Callers say what they should, byte by byte, and hear in any fragments; what they open can be probed by its protocol.</summary>
public sealed class CallerTests
{
    public static TheoryData<string> Names => [.. CallScripts.All.Select(s => s.Name)];

    private static CallScript Script(string name) => CallScripts.All.Single(s => s.Name == name);

    [Theory]
    [MemberData(nameof(Names))]
    public void Says_what_it_should(string name)
    {
        CallScript script = Script(name);
        foreach (int piece in (int[])[1, 3, int.MaxValue])
        {
            Caller caller = CallerList.New(script.Protocol, script.Details);
            caller.Begin();
            Assert.Equal(script.Turns[0], Said(caller));
            for (int i = 1; i < script.Turns.Length; i += 2)
            {
                foreach (byte[] part in CallScript.Bytes(script.Turns[i]).Chunk(piece)) caller.Hear(part);
                Assert.Equal(i + 1 < script.Turns.Length ? script.Turns[i + 1] : "", Said(caller));
            }

            Assert.Equal(script.State, caller.State);
            Assert.StartsWith(script.Why, caller.Why, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Is_no_stranger_to_its_protocol(string name)
    {
        CallScript script = Script(name);
        if (ProtocolList.Find(script.Protocol == CallerList.Http2 ? "http" : script.Protocol)!.Prepare is not { } prepare || script.State != CallState.Ready) return;
        var options = new ProtocolOptions { Ldap = new LdapOptions { Probe = LdapProbe.Search }, Http = new HttpOptions { PingWithoutStreams = true } };
        var bench = new SessionBench(prepare(options)(new NoPaths(), SessionBench.Start, 9));
        for (int i = 0; i < script.Turns.Length; i++) bench.Say(new WireMessage(i % 2 == 0 ? Leg.Downstream : Leg.Upstream, CallScript.Bytes(script.Turns[i])));
        Assert.False(bench.Protocol.IsPlain, string.Join('\n', bench.Notes));
        if (CallerList.New(script.Protocol, script.Details).Proof == ProofOfLife.Probe) bench.AssertProbed();
    }

    [Theory]
    [InlineData("http", "HEAD / HTTP/1.1\r\nHost: server.example\r\nUser-Agent: keepalive-ping\r\n\r\n", "", "HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n", "404")]
    [InlineData("imap", "b NOOP\r\n", "* OK hello\r\n", "* 1 EXISTS\r\nb OK done\r\n", "OK")]
    [InlineData("pop3", "CAPA\r\n", "+OK hello\r\n", "+OK\r\nUSER\r\n.\r\n", "+OK")]
    [InlineData("pop3", "CAPA\r\n", "+OK hello\r\n", "-ERR what\r\n", "-ERR what")]
    public void Asks_by_itself_what_has_no_probe(string protocol, string question, string greeting, string reply, string answer)
    {
        Caller caller = CallerList.New(protocol, new CallDetails { Host = "server.example", Seed = 7 });
        caller.Begin();
        caller.Hear(CallScript.Bytes(greeting));
        for (int i = 0; i < 2; i++)
        {
            Assert.NotNull(caller.Ask());
            Assert.Equal(question, Said(caller));
            Assert.Null(caller.TakeAnswer());
            caller.Hear(CallScript.Bytes(reply));
            Assert.Equal(answer, caller.TakeAnswer());
            Assert.Null(caller.TakeAnswer());
        }
    }

    [Fact]
    public void Asks_no_more_of_who_closes()
    {
        Caller caller = CallerList.New("http", new CallDetails { Host = "server.example", Seed = 7 });
        caller.Begin();
        Assert.Equal("HEAD", caller.Ask());
        caller.Hear("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"u8);
        Assert.Equal("200", caller.TakeAnswer());
        Assert.Null(caller.Ask());
        Assert.NotEmpty(caller.Why);
    }

    /// <summary>The expected values were computed by hashlib and hmac of Python.</summary>
    [Fact]
    public void Proves_a_password_without_saying_it()
    {
        var scram = new ScramSha256("pencil", 7);
        Assert.Equal("n,,n=,r=00000007538454127b096493", scram.First);
        string? final = scram.Final("r=00000007538454127b096493abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        Assert.Equal("c=biws,r=00000007538454127b096493abc,p=oKmz9OTlqr+lZ9PVJdMF8JKjH8LlhSd2fxKIL7Cf4tU=", final);
        Assert.True(scram.IsProven("v=PgnTN5r3Ks8otb9sgP9hA7tBGGmWWHX/gCsULhnRJnA="));
        Assert.False(scram.IsProven("v=x"));
        foreach (string wrong in (string[])["", "r=other,s=W22Z,i=1", "r=00000007538454127b096493abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999"]) Assert.Null(new ScramSha256("pencil", 7).Final(wrong));
    }

    /// <summary>Whatever comes, nothing is thrown.</summary>
    [Fact]
    public void Takes_any_bytes()
    {
        var random = new Random(1);
        foreach (CallScript script in CallScripts.All)
        {
            for (int round = 0; round < 50; round++)
            {
                Caller caller = CallerList.New(script.Protocol, script.Details);
                caller.Begin();
                byte[] bytes = CallScript.Bytes(string.Concat(script.Turns.Where((_, i) => i % 2 == 1)));
                for (int i = 0; i < 3 && bytes.Length > 0; i++) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                caller.Hear(bytes);
                byte[] noise = new byte[random.Next(300)];
                random.NextBytes(noise);
                caller.Hear(noise);
            }
        }
    }

    private static string Said(Caller caller)
    {
        string said = CallScript.Text(caller.Said);
        caller.Clear();
        return said;
    }

    private sealed class NoPaths : IDataPaths
    {
        public bool IsOpen => false;

        public System.Net.IPEndPoint? Open(Leg from, int port) => null;

        public void Drain(int port)
        {
        }

        public bool IsPeer(Leg leg, System.Net.IPAddress address) => false;

        public void Close()
        {
        }
    }
}
