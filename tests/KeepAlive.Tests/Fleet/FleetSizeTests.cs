using System.Globalization;
using System.Net;
using System.Text;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Tests.Fleet;

/// <summary>How big a fleet is: of a big one somebody counts, and the others read what was found.</summary>
public sealed class FleetSizeTests
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task A_small_fleet_is_counted_and_nothing_is_written() => Assert.Equal((20, "range range"), await AskAsync(null, 20));

    [Fact]
    public async Task A_big_one_is_counted_once_and_noted() => Assert.Equal((5000, "range range txn"), await AskAsync(null, 5000));

    [Fact]
    public async Task What_was_counted_just_now_is_believed() => Assert.Equal((5000, "range"), await AskAsync(new FleetSize(5000, Now), 4000));

    [Fact]
    public async Task What_is_old_is_counted_anew() => Assert.Equal((4000, "range range txn"), await AskAsync(new FleetSize(5000, Now.AddHours(-1)), 4000));

    [Fact]
    public async Task A_clock_that_is_ahead_keeps_nobody_from_counting() => Assert.Equal((4000, "range range txn"), await AskAsync(new FleetSize(5000, Now.AddDays(1)), 4000));

    [Fact]
    public async Task A_fleet_that_has_become_small_takes_the_note_away() => Assert.Equal((20, "range range txn"), await AskAsync(new FleetSize(5000, Now.AddHours(-1)), 20));

    [Fact]
    public async Task Garbage_is_no_size() => Assert.Equal((4000, "range range txn"), await AskAsync(new FleetSize(-1, Now), 4000));

    // What is said, and which calls it took.
    private static async Task<(int Machines, string Calls)> AskAsync(FleetSize? noted, int machines)
    {
        using var answers = new Answers(noted, machines);
        var options = new EtcdOptions { Endpoints = [new Uri("http://127.0.0.1:2379")] };
        using var etcd = new EtcdClient(options, new EtcdTransport(options, answers), 0);
        int size = await new FleetStore(etcd, new FleetKeys("big"), TimeProvider.System).SizeAsync(TestContext.Current.CancellationToken);
        return (size, string.Join(' ', answers.Calls));
    }

    private sealed class Answers(FleetSize? noted, int machines) : HttpMessageHandler
    {
        public List<string> Calls { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Calls.Add(request.RequestUri!.Segments[^1]);
            bool isCount = (await request.Content!.ReadAsStringAsync(cancellationToken)).Contains("count_only", StringComparison.Ordinal);
            string entry = noted is null ? "" : $$""","kvs":[{"key":"{{Base64("/keepalive/big/size"u8)}}","value":"{{Base64(FleetJson.Write(noted))}}","mod_revision":"3"}],"count":"1" """;
            string body = Calls[^1] == "txn" ? ""","succeeded":true""" : isCount ? $$""","count":"{{machines.ToString(CultureInfo.InvariantCulture)}}" """ : entry;
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent($$"""{"header":{"revision":"5"}{{body}}}""", Encoding.UTF8, "application/json") };
        }

        private static string Base64(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes);
    }
}
