using System.Net;
using System.Text;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Tests.Fleet;

/// <summary>Which endpoint is asked, how often, and with which token.</summary>
public sealed class EtcdTurnTests
{
    private const string Empty = """{"header":{"revision":"3"}}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_read_asks_each_once_and_stays_with_who_answers()
    {
        var server = new FakeEtcd(request => request.StartsWith("a ", StringComparison.Ordinal) ? (502, "") : request.StartsWith("b ", StringComparison.Ordinal) ? throw Refused() : (200, Empty));
        using EtcdClient etcd = server.Client();
        await etcd.ReadAsync(new EtcdQuery("/"), Cancel);
        await etcd.ReadAsync(new EtcdQuery("/"), Cancel);
        Assert.Equal("a b c c", server.Hosts);
    }

    [Fact]
    public async Task When_nobody_answers_each_is_named()
    {
        var server = new FakeEtcd(_ => throw Refused());
        using EtcdClient etcd = server.Client();
        EtcdException e = await Assert.ThrowsAsync<EtcdException>(() => etcd.ReadAsync(new EtcdQuery("/"), Cancel));
        Assert.Equal("etcd at http://a:2379, http://b:2379, http://c:2379: it closed the connection without an answer: if TLS is spoken there, write https:// in place of http://", e.Message);
        Assert.Equal(("a b c", EtcdFault.Unreachable), (server.Hosts, e.Fault));
    }

    [Fact]
    public async Task A_write_that_may_have_been_done_is_not_repeated_but_the_next_goes_elsewhere()
    {
        var server = new FakeEtcd(request => request.StartsWith("a ", StringComparison.Ordinal) ? throw new HttpRequestException(HttpRequestError.ResponseEnded, "ended") : (200, Empty));
        using EtcdClient etcd = server.Client();
        EtcdException e = await Assert.ThrowsAsync<EtcdException>(() => etcd.CommitAsync([], [], Cancel));
        Assert.EndsWith("; whether it was written is not known", e.Message, StringComparison.Ordinal);
        await etcd.CommitAsync([], [], Cancel);
        Assert.Equal("a b", server.Hosts);
    }

    [Fact]
    public async Task A_write_that_was_not_sent_or_met_no_leader_goes_on_at_once()
    {
        var server = new FakeEtcd(request => request[0] switch { 'a' => throw Refused(), 'b' => (503, """{"error":"etcdserver: no leader","code":14}"""), _ => (200, Empty) }) { ReadsBodies = false };
        using EtcdClient etcd = server.Client();
        await etcd.CommitAsync([], [], Cancel);
        Assert.Equal("a b c", server.Hosts);
    }

    [Fact]
    public async Task A_lease_may_be_asked_for_twice()
    {
        var server = new FakeEtcd(request => request[0] == 'a' ? (503, """{"error":"etcdserver: request timed out","code":14}""") : (200, """{"header":{"revision":"3"},"ID":"77","TTL":"5"}"""));
        using EtcdClient etcd = server.Client();
        Assert.Equal(77, await etcd.GrantAsync(TimeSpan.FromSeconds(4.2), Cancel));
        Assert.Equal("""b /v3/lease/grant {"TTL":"5"}""", server.Requests[^1]);
    }

    [Fact]
    public async Task What_etcd_has_decided_is_not_asked_of_others()
    {
        var server = new FakeEtcd(_ => (404, """{"error":"etcdserver: requested lease not found","code":5}"""));
        using EtcdClient etcd = server.Client();
        await etcd.RevokeAsync(5, Cancel);
        EtcdException e = await Assert.ThrowsAsync<EtcdException>(() => etcd.RenewAsync(5, Cancel));
        Assert.Equal(("a a", EtcdFault.LeaseGone), (server.Hosts, e.Fault));
    }

    [Fact]
    public async Task No_answer_in_time_is_the_endpoints_fault_and_giving_up_is_the_callers()
    {
        var server = new FakeEtcd(_ => null);
        using EtcdClient etcd = server.Client(TimeSpan.FromMilliseconds(20));
        EtcdException e = await Assert.ThrowsAsync<EtcdException>(() => etcd.ReadAsync(new EtcdQuery("/"), Cancel));
        Assert.Equal(("a b c", EtcdFault.Unreachable), (server.Hosts, e.Fault));
        using EtcdClient patient = server.Client(TimeSpan.FromDays(1));
        using var end = new CancellationTokenSource();
        Task<EtcdRange> read = patient.ReadAsync(new EtcdQuery("/"), end.Token);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
    }

    [Fact]
    public async Task A_token_is_fetched_once_and_again_when_it_is_not_taken()
    {
        int tokens = 0;
        string taken = "t1";
        var server = new FakeEtcd(request => request.Contains("authenticate", StringComparison.Ordinal) ? (200, $$"""{"header":{},"token":"t{{++tokens}}"}""")
            : request.EndsWith(" " + taken, StringComparison.Ordinal) ? (200, Empty) : (401, """{"error":"etcdserver: invalid auth token","code":16}"""));
        using EtcdClient etcd = server.Client(user: "u");
        await etcd.ReadAsync(new EtcdQuery("/"), Cancel);
        await etcd.ReadAsync(new EtcdQuery("/"), Cancel);
        Assert.Equal("""a /v3/auth/authenticate {"name":"u","password":"p"}; a /v3/kv/range {"key":"Lw=="} t1; a /v3/kv/range {"key":"Lw=="} t1""", string.Join("; ", server.Requests));
        taken = "t2";
        await etcd.CommitAsync([], [], Cancel);
        Assert.Equal(2, tokens);
    }

    [Theory]
    [InlineData("""{"token":"a\r\nb"}""")]
    [InlineData("""{"token":""}""")]
    [InlineData("{}")]
    public async Task A_token_that_is_none_is_not_sent(string answer)
    {
        var server = new FakeEtcd(_ => (200, answer));
        using EtcdClient etcd = server.Client(user: "u");
        Assert.Equal(EtcdFault.NotEtcd, (await Assert.ThrowsAsync<EtcdException>(() => etcd.ReadAsync(new EtcdQuery("/"), Cancel))).Fault);
    }

    [Fact]
    public async Task A_watch_whose_node_goes_away_ends_and_the_next_is_elsewhere()
    {
        var server = new FakeEtcd(_ => (200, """{"result":{"header":{"revision":"3"},"created":true}}""" + "\n"));
        using EtcdClient etcd = server.Client();
        for (int n = 0; n < 2; n++)
        {
            var seen = new List<EtcdNews>();
            EtcdException e = await Assert.ThrowsAsync<EtcdException>(async () =>
            {
                await foreach (EtcdNews news in etcd.WatchAsync("/", 0, Cancel)) seen.Add(news);
            });
            Assert.Equal((EtcdFault.Unreachable, $"etcd at http://{"ab"[n]}:2379: it ended the watch"), (e.Fault, e.Message));
            Assert.Equal((3L, 0), (Assert.Single(seen).Revision, seen[0].Changes.Count));
        }

        Assert.Equal("a b", server.Hosts);
    }

    private static HttpRequestException Refused() => new(HttpRequestError.ConnectionError, "refused");

    /// <summary>Answers what a function of <c>HOST PATH BODY TOKEN</c> says; null: never.</summary>
    private sealed class FakeEtcd(Func<string, (int Status, string Body)?> answer) : HttpMessageHandler
    {
        public List<string> Requests { get; } = [];

        public bool ReadsBodies { get; init; } = true;

        public string Hosts => string.Join(' ', Requests.Select(r => r[0]));

        public EtcdClient Client(TimeSpan? timeout = null, string? user = null)
        {
            var options = new EtcdOptions
            {
                Endpoints = [new Uri("http://a:2379"), new Uri("http://b:2379"), new Uri("http://c:2379")],
                CallTimeout = timeout ?? TimeSpan.FromMinutes(1),
                User = user,
                Password = () => "p",
            };
            return new EtcdClient(options, new EtcdTransport(options, this), 0);
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Assert.Equal("true", Assert.Single(request.Headers.GetValues("Grpc-Metadata-hasleader")));
            string body = ReadsBodies ? " " + await request.Content!.ReadAsStringAsync(cancellationToken) : "";
            string token = request.Headers.TryGetValues("Authorization", out IEnumerable<string>? tokens) ? " " + tokens.Single() : "";
            string text = $"{request.RequestUri!.Host} {request.RequestUri.AbsolutePath}{body}{token}";
            Requests.Add(text);
            if (answer(text) is not { } known) return await new TaskCompletionSource<HttpResponseMessage>().Task.WaitAsync(cancellationToken);
            return new HttpResponseMessage((HttpStatusCode)known.Status) { Content = new StringContent(known.Body, Encoding.UTF8, "application/json") };
        }
    }
}
