using System.Text;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Tests.Fleet;

/// <summary>What refusals mean: their fault, what is to be thought of the call, and one line for who asked.</summary>
public sealed class EtcdRefusalTests
{
    // As etcd 3.4.23 has sent them, and in the forms that others have.
    [Theory]
    [InlineData(400, """{"error":"etcdserver: mvcc: required revision has been compacted","message":"...","code":11}""", "Compacted Refused", "compacted")]
    [InlineData(404, """{"error":"etcdserver: requested lease not found","message":"etcdserver: requested lease not found","code":5}""", "LeaseGone Refused", "take another")]
    [InlineData(429, """{"error":"etcdserver: mvcc: database space exceeded","code":8}""", "NoSpace Refused", "etcdctl defrag")]
    [InlineData(400, """{"error":"etcdserver: request is too large","code":3}""", "TooLarge Refused", "--max-request-bytes")]
    [InlineData(429, """{"error":"grpc: received message larger than max (2300011 vs. 2097152)","code":8}""", "TooLarge Refused", "--max-request-bytes")]
    [InlineData(413, "<html>Request Entity Too Large</html>", "TooLarge Refused", "--max-request-bytes")]
    [InlineData(400, """{"error":"etcdserver: authentication failed, invalid user ID or password","code":3}""", "Denied Refused", "user 'u' and this password")]
    [InlineData(403, """{"error":"etcdserver: permission denied","code":7}""", "Denied Refused", "grant-permission")]
    [InlineData(412, """{"error":"etcdserver: authentication is not enabled","code":9}""", "Denied Refused", "etcdctl auth enable")]
    [InlineData(401, """{"error":"etcdserver: invalid auth token","code":16}""", "Denied TokenInvalid", "--auth-token")]
    [InlineData(500, """{"error":"auth: revision in header is old","code":2}""", "Denied TokenInvalid", "--auth-token")]
    [InlineData(400, """{"error":"etcdserver: user name is empty","code":3}""", "Denied Refused", "give a user")]
    [InlineData(401, "", "Denied Refused", "(401)")]
    [InlineData(503, """{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}""", "NoLeader NotDone", "no leader")]
    [InlineData(503, """{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"Service Unavailable"}}""", "NoLeader NotDone", "no leader")]
    [InlineData(503, """{"code":14,"message":"etcdserver: no leader","details":[]}""", "NoLeader NotDone", "no leader")]
    [InlineData(503, """{"error":"etcdserver: request timed out","code":14}""", "NoLeader Unknown", "no leader")]
    [InlineData(500, """{"error":"context deadline exceeded","code":2}""", "NoLeader Unknown", "no leader")]
    [InlineData(503, """{"error":"etcdserver: server stopped","code":14}""", "Unreachable Unknown", "stopped")]
    [InlineData(429, """{"error":"etcdserver: too many requests","code":8}""", "Unreachable NotDone", "too much to do")]
    [InlineData(503, """{"error":"connection closed","message":"connection closed","code":14}""", "Unreachable Unknown", "clientAuth")]
    [InlineData(503, """{"error":"all is lost","code":14}""", "Unreachable Unknown", "clientAuth")]
    [InlineData(502, "<html>Bad Gateway</html>", "Unreachable Unknown", "(502)")]
    [InlineData(404, "404 page not found\n", "NotEtcd NotDone", "--enable-grpc-gateway")]
    [InlineData(400, "Client sent an HTTP request to an HTTPS server.\n", "NotEtcd NotDone", "https://")]
    [InlineData(302, "", "NotEtcd NotDone", "elsewhere")]
    [InlineData(400, """{"error":"etcdserver: duplicate key given in txn request","code":3}""", "NotEtcd Refused", "duplicate key")]
    [InlineData(418, "<html>teapot</html>", "NotEtcd NotDone", "is not etcd's JSON API")]
    public void Each_is_known(int status, string body, string meaning, string saying)
    {
        EtcdCallException refusal = EtcdRefusal.Of(status, Encoding.UTF8.GetBytes(body), "u");
        Assert.Equal(meaning, $"{refusal.Fault} {refusal.Outcome}");
        Assert.Contains(saying, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_others_say_is_short_and_in_one_line()
    {
        EtcdCallException refusal = EtcdRefusal.Of(400, Encoding.UTF8.GetBytes($$"""{"error":"a\r\nb\u0007\u2028\ud83d\ude00{{new string('x', 1000)}}","code":3}"""), null);
        Assert.DoesNotContain(refusal.Message, c => char.IsControl(c) || c == '\u2028');
        Assert.InRange(refusal.Message.Length, 1, 400);
    }

    [Fact]
    public void Who_refuses_a_password_is_not_quoted() =>
        Assert.DoesNotContain("hunter2", EtcdRefusal.Of(400, """{"error":"what is hunter2?","code":3}"""u8, "u", isQuotable: false).Message, StringComparison.Ordinal);

    [Fact]
    public void Endpoints_that_say_the_same_are_told_together_and_the_fault_that_says_most_counts()
    {
        var refused = new EtcdCallException(EtcdFault.Unreachable, CallOutcome.NotDone, "Connection refused");
        var leaderless = new EtcdCallException(EtcdFault.NoLeader, CallOutcome.NotDone, "no leader");
        EtcdException told = EtcdCallException.Of([(new Uri("http://u:secret@a:1"), refused), (new Uri("http://b:2"), leaderless), (new Uri("http://c:3"), refused)], isWrite: true);
        Assert.Equal("etcd at http://a:1, http://c:3: Connection refused; etcd at http://b:2: no leader", told.Message);
        Assert.Equal(EtcdFault.NoLeader, told.Fault);
    }
}
