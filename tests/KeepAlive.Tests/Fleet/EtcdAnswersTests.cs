using System.Text;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Tests.Fleet;

/// <summary>What comes over the wire: the forms the gateway has, and whatever else may come.</summary>
public sealed class EtcdAnswersTests
{
    private const string Range = """{"header":{"cluster_id":"17495100640981928781","member_id":"7616583982444832909","revision":"7","raft_term":"2"},"kvs":[{"key":"L2E=","create_revision":"2","mod_revision":"5","version":"1","value":"dg==","lease":"9"},{"key":"L2I=","create_revision":"3","mod_revision":"3","version":"1"}],"more":true,"count":"12"}""";
    private const string Lease = """{"result":{"header":{"revision":"3"},"ID":"12345","TTL":"5"}}""";
    private const string Event = """{"result":{"header":{"revision":"9"},"events":[{"kv":{"key":"L2E=","create_revision":"2","mod_revision":"4","version":"1","value":"dg=="}},{"type":"DELETE","kv":{"key":"L2I=","mod_revision":"5"}}]}}""";

    [Fact]
    public void A_range_is_read_with_what_is_left_out()
    {
        EtcdRange range = EtcdAnswers.Range(Encoding.UTF8.GetBytes(Range));
        Assert.Equal((7L, 12L), (range.Revision, range.Count));
        Assert.Equal("/a v 2 5 9; /b  3 3 0", string.Join("; ", range.Entries.Select(e => $"{e.Key} {Encoding.UTF8.GetString(e.Value)} {e.Created} {e.Modified} {e.Lease}")));
    }

    [Fact]
    public void A_commit_that_was_not_done_leaves_that_out() =>
        Assert.Equal(new EtcdCommit(false, 3), EtcdAnswers.Commit("""{"header":{"revision":"3"}}"""u8));

    [Fact]
    public void A_renewal_without_a_time_is_of_a_lease_that_is_gone()
    {
        Assert.True(EtcdAnswers.Renewed(Encoding.UTF8.GetBytes(Lease), null));
        Assert.Equal(EtcdFault.LeaseGone, Assert.Throws<EtcdCallException>(() => EtcdAnswers.Renewed("""{"result":{"header":{"revision":"3"},"ID":"12345"}}"""u8, null)).Fault);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("<html></html>")]
    [InlineData("{}")]
    [InlineData("""{"header":null}""")]
    [InlineData("""{"header":{"revision":"0"}}""")]
    [InlineData("""{"header":{"revision":"99999999999999999999"}}""")]
    [InlineData("""{"header":{"revision":"1"},"kvs":[null]}""")]
    [InlineData("""{"header":{"revision":"1"},"kvs":[{}]}""")]
    [InlineData("""{"header":{"revision":"1"},"kvs":[{"key":"!!"}]}""")]
    [InlineData("""{"header":{"revision":"1"},"kvs":[{"key":""}]}""")]
    [InlineData("""{"header":{"revision":"1"},"kvs":[{"key":"L2E=","value":5}]}""")]
    public void No_range_is_nobody_of_etcd(string json) => Assert.Equal(EtcdFault.NotEtcd, Assert.Throws<EtcdCallException>(() => EtcdAnswers.Range(Encoding.UTF8.GetBytes(json))).Fault);

    [Fact]
    public void A_watch_goes_on_from_its_changes_not_from_where_the_store_is()
    {
        var watch = new EtcdWatch(from: 3, user: null);
        Assert.Equal((2L, 0), Of(watch.Take("""{"result":{"header":{"revision":"9"},"created":true}}"""u8)));
        EtcdNews news = watch.Take(Encoding.UTF8.GetBytes(Event))!;
        Assert.Equal((5L, 2), Of(news));
        Assert.Equal("/a v, /b -", string.Join(", ", news.Changes.Select(c => $"{c.Key} {(c.Entry is { } e ? Encoding.UTF8.GetString(e.Value) : "-")}")));
        Assert.Equal((12L, 0), Of(watch.Take("""{"result":{"header":{"revision":"12"}}}"""u8)));
    }

    [Fact]
    public void Pieces_are_told_when_the_last_has_come()
    {
        var watch = new EtcdWatch(from: 0, user: null);
        Assert.Null(watch.Take("""{"result":{"header":{"revision":"9"},"fragment":true,"events":[{"kv":{"key":"L2E=","mod_revision":"4"}}]}}"""u8));
        Assert.Equal((4L, 2), Of(watch.Take("""{"result":{"header":{"revision":"9"},"events":[{"kv":{"key":"L2I=","mod_revision":"4"}}]}}"""u8)));
    }

    [Theory]
    [InlineData("""{"result":{"header":{"raft_term":"2"},"canceled":true,"compact_revision":"2"}}""", null, "Compacted Refused")]
    [InlineData("""{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"Service Unavailable"}}""", null, "NoLeader NotDone")]
    [InlineData("""{"result":{"header":{"revision":"2"},"created":true,"canceled":true,"cancel_reason":"etcdserver: permission denied"}}""", "u", "Denied TokenInvalid")]
    [InlineData("""{"result":{"header":{"revision":"2"},"created":true,"canceled":true,"cancel_reason":"etcdserver: permission denied"}}""", null, "Denied Refused")]
    [InlineData("""{"result":{"canceled":true}}""", null, "Unreachable Unknown")]
    [InlineData("""{"result":{"header":{"revision":"2"},"events":[{"type":"RENAME","kv":{"key":"L2E="}}]}}""", null, "NotEtcd Unknown")]
    [InlineData("""{"result":{"header":{"revision":"2"},"events":[null]}}""", null, "NotEtcd Unknown")]
    [InlineData("""{"result":{"header":{"revision":"2"},"events":[{"kv":{"key":"L2E="}}]}}""", null, "NotEtcd Unknown")]
    [InlineData("{}", null, "NotEtcd Unknown")]
    public void A_watch_says_how_it_ends(string line, string? user, string meaning)
    {
        EtcdCallException end = Assert.Throws<EtcdCallException>(() => new EtcdWatch(from: 1, user).Take(Encoding.UTF8.GetBytes(line)));
        Assert.Equal(meaning, $"{end.Fault} {end.Outcome}");
    }

    [Fact]
    public void Whatever_comes_nothing_else_is_thrown()
    {
        byte[][] seeds = [.. new[] { Range, Lease, Event, """{"error":{"message":"\ud800 x","code":"y"},"code":3}""" }.Select(Encoding.UTF8.GetBytes)];
        Action<byte[]>[] readers =
        [
            b => EtcdAnswers.Range(b), b => EtcdAnswers.Commit(b), b => EtcdAnswers.Granted(b), b => EtcdAnswers.Renewed(b, null),
            b => new EtcdWatch(1, "u").Take(b), b => EtcdAnswers.Read(b, EtcdJson.Default.LoginAnswer), b => EtcdRefusal.Of(400, b, "u"),
        ];
        var random = new Random(7);
        for (int round = 0; round < 4_000; round++)
        {
            byte[] bytes = Mutated(seeds[round % seeds.Length], random);
            foreach (Action<byte[]> read in readers)
            {
                try
                {
                    read(bytes);
                }
                catch (EtcdCallException e)
                {
                    Assert.DoesNotContain('\n', e.Message);
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task Lines_come_whole_whatever_pieces_they_come_in(int piece)
    {
        string[] lines = ["a", "", new string('b', 9000), "c", new string('d', 20_000), "last"];
        var reader = new EtcdLines(new Pieces(Encoding.UTF8.GetBytes(string.Join('\n', lines)), piece), 20_000);
        foreach (string line in lines) Assert.Equal(line, Encoding.UTF8.GetString((await reader.NextAsync(TestContext.Current.CancellationToken))!.Value.Span));
        Assert.Null(await reader.NextAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(5000)]
    public async Task A_line_has_a_bound(int max)
    {
        var reader = new EtcdLines(new Pieces(new byte[max + 1], 512), max);
        Assert.Equal(EtcdFault.NotEtcd, (await Assert.ThrowsAsync<EtcdCallException>(() => reader.NextAsync(TestContext.Current.CancellationToken))).Fault);
    }

    private static (long, int) Of(EtcdNews? news) => (news!.Revision, news.Changes.Count);

    private static byte[] Mutated(byte[] seed, Random random)
    {
        List<byte> bytes = [.. seed.Take(random.Next(8) == 0 ? random.Next(seed.Length) : seed.Length)];
        for (int n = random.Next(1, 5); n > 0 && bytes.Count > 0; n--)
        {
            int at = random.Next(bytes.Count);
            if (random.Next(4) == 0) bytes.RemoveAt(at);
            else bytes[at] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)"{}[]\",:0123456789-.eEntfu\\"[random.Next(26)];
        }

        return [.. bytes];
    }

    /// <summary>Bytes that come a piece at a time.</summary>
    private sealed class Pieces(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}
