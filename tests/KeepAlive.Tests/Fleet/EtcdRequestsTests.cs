using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Tests.Fleet;

/// <summary>What goes over the wire, as etcd's gateway wants it.</summary>
public sealed class EtcdRequestsTests
{
    [Fact]
    public void A_key_is_read_alone() => Assert.Equal("""{"key":"L2E="}""", Range(new EtcdQuery("/a")));

    [Fact]
    public void A_prefix_ends_before_its_last_byte_one_more() => Assert.Equal("""{"key":"L2Ev","range_end":"L2Ew","limit":"7"}""", Range(new EtcdQuery("/a/") { IsPrefix = true, Limit = 7 }));

    [Fact]
    public void Everything_has_the_prefix_of_nothing() => Assert.Equal("""{"key":"AA==","range_end":"AA=="}""", Range(new EtcdQuery("") { IsPrefix = true }));

    [Fact]
    public void The_next_page_begins_right_after_the_last_key() =>
        Assert.Equal($$"""{"key":"{{Base64("/a/x\0")}}","range_end":"L2Ew"}""", Range(new EtcdQuery("/a/") { IsPrefix = true, After = "/a/x" }));

    [Fact]
    public void Downwards_the_next_page_ends_before_the_last_key() =>
        Assert.Equal($$"""{"key":"L2Ev","range_end":"{{Base64("/a/x")}}","sort_order":"DESCEND","sort_target":"KEY"}""", Range(new EtcdQuery("/a/") { IsPrefix = true, IsDescending = true, After = "/a/x" }));

    [Fact]
    public void A_count_asks_for_nothing_else() => Assert.Equal("""{"key":"L2Ev","range_end":"L2Ew","count_only":true}""", Range(new EtcdQuery("/a/") { IsPrefix = true, IsCount = true }));

    [Fact]
    public void Conditions_are_written_even_if_they_are_zero() => Assert.Equal(
        """{"compare":[{"key":"L2E=","target":"MOD","result":"EQUAL","mod_revision":"0"},{"key":"L2I=","target":"LEASE","result":"EQUAL","lease":"9"}],"success":[{"request_put":{"key":"L2E=","value":"","lease":"9"}},{"request_put":{"key":"L2E=","value":"dg=="}},{"request_delete_range":{"key":"L2I="}}]}""",
        Sorted(EtcdRequests.Txn([new EtcdCondition("/a", 0), new EtcdCondition("/b", 3) { Lease = 9 }], [new EtcdWrite("/a", [], 9), new EtcdWrite("/a", "v"u8.ToArray()), new EtcdWrite("/b", null)]), EtcdJson.Default.TxnRequest));

    [Fact]
    public void A_watch_asks_for_signs_of_life_and_pieces() => Assert.Equal(
        """{"create_request":{"key":"L2Ev","range_end":"L2Ew","start_revision":"5","progress_notify":true,"fragment":true}}""", Sorted(EtcdRequests.Watch("/a/", 5), EtcdJson.Default.WatchRequest));

    [Fact]
    public void A_lease_is_asked_for_in_seconds() => Assert.Equal("""{"TTL":"5"}""", JsonSerializer.Serialize(new LeaseRequest(null, 5), EtcdJson.Default.LeaseRequest));

    private static string Range(EtcdQuery query) => Sorted(EtcdRequests.Range(query), EtcdJson.Default.RangeRequest);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    // Members in the order of this list: the order they are written in means nothing.
    private static string Sorted<T>(T request, JsonTypeInfo<T> type)
    {
        string[] order = ["compare", "success", "create_request", "request_put", "request_delete_range", "key", "value", "target", "result", "mod_revision", "range_end", "lease",
            "limit", "start_revision", "progress_notify", "fragment", "sort_order", "sort_target", "count_only"];
        return Write(JsonSerializer.SerializeToElement(request, type));

        string Write(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object => "{" + string.Join(',', element.EnumerateObject().OrderBy(p => Array.IndexOf(order, p.Name)).Select(p => $"\"{p.Name}\":{Write(p.Value)}")) + "}",
            JsonValueKind.Array => "[" + string.Join(',', element.EnumerateArray().Select(Write)) + "]",
            _ => element.GetRawText(),
        };
    }
}
