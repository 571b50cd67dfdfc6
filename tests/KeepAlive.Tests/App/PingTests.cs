using System.Text.Json;
using KeepAlive.App.Ping;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Tests.App;

public sealed class PingTests
{
    private static readonly Instant Start = Instant.Zero + TimeSpan.FromHours(1);

    [Theory]
    [InlineData("redis://db.example", "redis", "db.example:6379", null, "")]
    [InlineData("REDISS://ka@[2001:db8::1]:7000/", "rediss", "[2001:db8::1]:7000", "ka", "")]
    [InlineData("ldap://cn=admin,dc=ka,dc=test@192.0.2.1", "ldap", "192.0.2.1:389", "cn=admin,dc=ka,dc=test", "")]
    [InlineData("ldap://cn=a%20b%40c@host", "ldap", "host:389", "cn=a b@c", "")]
    [InlineData("wss://host/chat%20x?a=b", "wss", "host:443", null, "/chat%20x?a=b")]
    [InlineData("https://host", "https", "host:443", null, "/")]
    [InlineData("postgres://ka@host/my%20db", "postgres", "host:5432", "ka", "my db")]
    [InlineData("tcp://host:1", "tcp", "host:1", null, "")]
    [InlineData("imap://ka:@host", "imap", "host:143", "ka", "")]
    [InlineData("ssh://ka@host", "ssh", "host:22", "ka", "")]
    [InlineData("sftp://[2001:db8::1]:2222", "sftp", "[2001:db8::1]:2222", null, "")]
    public void A_URL_says_whom(string text, string scheme, string to, string? user, string path)
    {
        Assert.True(PingUrl.TryParse(text, out PingUrl? url, out string? fault), fault);
        Assert.Equal((scheme, to, user, path), (url.Scheme.Name, $"{url.To}", url.User, url.Path));
    }

    [Theory]
    [InlineData("db.example:6379", "the URL has no scheme: write SCHEME://HOST")]
    [InlineData("gopher://host", "the scheme 'gopher' is not known: give one of tcp, ftp")]
    [InlineData("redis://", "what follows redis:// is not understood")]
    [InlineData("redis://host:99999", "what follows redis:// is not understood")]
    [InlineData("tcp://host", "tcp:// has no port of its own: write tcp://HOST:PORT")]
    [InlineData("redis://host/1", "redis:// has no use for a path")]
    [InlineData("postgres://host/a?b=c", "postgres:// has no use for a query")]
    [InlineData("ftp://a%0d%0aDELE@host", "a control character stands in the URL")]
    public void A_URL_that_is_none_says_what_to_write(string text, string begins)
    {
        Assert.False(PingUrl.TryParse(text, out _, out string? fault));
        Assert.StartsWith(begins, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_in_the_URL_is_refused_and_not_repeated()
    {
        Assert.False(PingUrl.TryParse("redis://ka:hunter2@host", out _, out string? fault));
        Assert.DoesNotContain("hunter2", fault, StringComparison.Ordinal);
        Assert.Contains("KEEPALIVE_PASSWORD", fault, StringComparison.Ordinal);
        Assert.False(PingUrl.TryParse("redis://ka:hunter2@ho st", out _, out fault));
        Assert.DoesNotContain("hunter2", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://host/x", "host")]
    [InlineData("http://host:81/x", "host:81")]
    [InlineData("https://[::1]/", "[::1]")]
    public void HTTP_is_told_the_host_and_an_unusual_port(string text, string host)
    {
        Assert.True(PingUrl.TryParse(text, out PingUrl? url, out _));
        Assert.Equal(host, url.Host);
    }

    [Fact]
    public void Every_scheme_has_a_caller()
    {
        var ssh = new KeepAlive.Protocols.Callers.SshCallDetails { Random = bytes => bytes.Clear(), Judge = _ => null };
        var call = new KeepAlive.Protocols.Callers.CallDetails { Host = "host", Seed = 1, Ssh = ssh };
        foreach (PingScheme scheme in PingScheme.All)
        {
            Assert.NotNull(KeepAlive.Protocols.Callers.CallerList.New(scheme.ProtocolName, call));
            Assert.Equal(scheme.ProtocolName is "tcp" or "ssh", scheme.NewProtocol(TimeSpan.FromSeconds(1), Start, 1) is null);
        }
    }

    [Fact]
    public void Answers_go_to_the_probe_they_took_that_long_for()
    {
        var tally = new PingTally();
        SentProbe first = tally.OnSent("PING", Start), second = tally.OnSent("PING", Start + TimeSpan.FromSeconds(1));
        Instant now = Start + TimeSpan.FromSeconds(1.5);
        Assert.Same(second, tally.OnAnswered(TimeSpan.FromSeconds(0.5), now));
        Assert.Same(first, tally.OnAnswered(null, now));
        Assert.Null(tally.OnAnswered(null, now));
        Assert.Equal((2, 2, 0), (tally.Sent, tally.Answered, tally.Lost));
        Assert.Null(tally.RoundTrips);
    }

    [Fact]
    public void Round_trips_are_told_as_ping_does()
    {
        var tally = new PingTally();
        foreach (int ms in (int[])[2, 4, 4, 4, 5, 5, 7, 9]) tally.Measure(TimeSpan.FromMilliseconds(ms));
        Assert.Equal((2, 5, 9, 2), tally.RoundTrips);
    }

    [Theory]
    [InlineData(0, 0, 100, 5000, PingOutcome.Hung, "application hung: TCP acknowledges, the server does not answer: no answer to 3 probes for 4.1s")]
    [InlineData(0, 2, 100, 5000, PingOutcome.Dead, "dead after 4.1s: nothing acknowledged, no answer to 3 probes")]
    [InlineData(1, 0, 5000, 1010, PingOutcome.Hung, "application hung: TCP acknowledges, the server does not answer: no answer to 3 probes for 4.1s")]
    [InlineData(1, 0, 5000, 5000, PingOutcome.Dead, "dead after 4.1s: nothing acknowledged, no answer to 3 probes")]
    public void Hung_is_told_from_dead(int probes, int segments, int sentMs, int ackMs, object outcome, string text)
    {
        var contact = new PeerContact { UnansweredProbes = probes, UnacknowledgedSegments = segments, SinceSent = TimeSpan.FromMilliseconds(sentMs), SinceAck = TimeSpan.FromMilliseconds(ackMs) };
        Assert.Equal(new PingVerdict((PingOutcome)outcome, text), PingVerdict.Silent(contact, TimeSpan.FromSeconds(4.06), "no answer to 3 probes"));
    }

    [Fact]
    public void People_are_told_in_lines()
    {
        Assert.Equal("""
            redis://db.example:6379: connected in 0.25 ms, ready for probes after 1 ms
            silent for 5s
            1  PING: PONG, 0.5 ms
            2  PING: no answer for 1s
            2 sent, 1 answered, 1 lost; round trip min/avg/max/mdev 0.5/0.5/0.5/0 ms
            alive?

            """, Told(isJson: false));
    }

    [Fact]
    public void Programs_are_told_an_object_a_line()
    {
        string[] lines = Told(isJson: true).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["ready", "silent", "answered", "unanswered", "summary"], lines.Select(l => JsonDocument.Parse(l).RootElement.GetProperty("event").GetString()));
        Assert.Equal("""{"event":"answered","probe":1,"sent":"PING","answer":"PONG","tookMs":0.5}""", lines[2]);
        Assert.Equal("""{"event":"summary","sent":2,"answered":1,"lost":1,"minMs":0.5,"avgMs":0.5,"maxMs":0.5,"mdevMs":0,"verdict":"alive","text":"alive\u0007"}""", lines[4]);
    }

    private static string Told(bool isJson)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var report = new PingReport(output, isJson);
        var tally = new PingTally();
        report.Ready("redis://db.example:6379", TimeSpan.FromMilliseconds(0.25), TimeSpan.FromMilliseconds(1));
        report.Silent(TimeSpan.FromSeconds(5), isBroken: false);
        SentProbe first = tally.OnSent("PING", Start), second = tally.OnSent("PING", Start);
        tally.OnAnswered(null, Start);
        tally.Measure(TimeSpan.FromMilliseconds(0.5));
        report.Answered(first, "PONG", TimeSpan.FromMilliseconds(0.5));
        report.Unanswered(second, TimeSpan.FromSeconds(1.02));
        report.Summary(tally, new PingVerdict(PingOutcome.Alive, "alive\a"));
        return output.ToString();
    }
}
