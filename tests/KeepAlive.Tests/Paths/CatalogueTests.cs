using System.Text;
using KeepAlive.Core;
using KeepAlive.Paths.Catalogue;

namespace KeepAlive.Tests.Paths;

public sealed class CatalogueTests
{
    public static TheoryData<string> Names => [.. MiddleboxCatalogue.All.Select(m => m.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_entry_can_be_found_and_is_whole(string name)
    {
        KnownMiddlebox middlebox = MiddleboxCatalogue.Find(name.ToUpperInvariant())!;
        Assert.Equal(name, middlebox.Name);
        Assert.False(Duration.TryParse(name, out _), "a name that reads as a duration");
        Assert.InRange(middlebox.IdleTimeout, middlebox.Least ?? TimeSpan.FromSeconds(1), middlebox.Most ?? KeepAlivePolicy.DurationMax);
        Assert.InRange(middlebox.Checked, new DateOnly(2026, 1, 1), DateOnly.MaxValue);
        Assert.All((string?[])[middlebox.Title, middlebox.Source, middlebox.Note ?? "none"], text =>
        {
            Assert.Equal(text!.Trim(), text);
            Assert.InRange(text.Length, 1, 200);
            Assert.DoesNotContain(text, char.IsControl);
        });
    }

    [Fact]
    public void It_has_what_others_rely_on()
    {
        Assert.Equal(TimeSpan.FromSeconds(350), MiddleboxCatalogue.Find("aws-nlb")!.IdleTimeout);
        Assert.Equal(TimeSpan.FromMinutes(4), MiddleboxCatalogue.Find("azure-lb")!.IdleTimeout);
        Assert.Equal(BindingRefresh.Payload, MiddleboxCatalogue.Find("aws-alb")!.Refresh);
        Assert.Null(MiddleboxCatalogue.Find("aws"));
        Assert.Equal(MiddleboxCatalogue.All.Select(m => m.IdleTimeout).Order(), MiddleboxCatalogue.All.Select(m => m.IdleTimeout));
    }

    [Fact]
    public void Nothing_of_TCP_keepalive_refreshes_one_that_looks_above_TCP()
    {
        var often = new KeepAlivePolicy(TimeSpan.FromSeconds(1), 127, TimeSpan.FromSeconds(1));
        Assert.All(MiddleboxCatalogue.All, m => Assert.Equal(m.Refresh == BindingRefresh.Segments, m.LostProbes(often) is not null));
    }

    [Theory]
    [InlineData("'A b': a name is", "\"name\":\"A b\"")]
    [InlineData("x: no title", "\"title\":\"\"")]
    [InlineData("x: no source", "\"source\":\"\"")]
    [InlineData("x: idleSeconds 0 is below 1", "\"idleSeconds\":0")]
    [InlineData("x: leastSeconds 61 is not 1 to 60", "\"leastSeconds\":61")]
    [InlineData("x: mostSeconds 59 is below 60", "\"mostSeconds\":59")]
    [InlineData("expiry", "\"expiry\":\"sudden\"")]
    [InlineData("checked", "\"checked\":\"yesterday\"")]
    [InlineData("colour", "\"colour\":\"red\"")]
    public void A_fault_is_named(string fault, string member)
    {
        Assert.Contains(fault, Assert.Throws<FormatException>(() => Read($"[{Entry(member)}]")).Message, StringComparison.Ordinal);
        Assert.Single(Read($"[{Entry("\"weak\":true")}]"));
    }

    [Fact]
    public void A_name_stands_for_one_and_no_member_is_left_out()
    {
        Assert.Contains("x: named twice", Assert.Throws<FormatException>(() => Read($"[{Entry("\"weak\":true")},{Entry("\"weak\":true")}]")).Message, StringComparison.Ordinal);
        Assert.Contains("source", Assert.Throws<FormatException>(() => Read("[{\"name\":\"x\"}]")).Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => Read("null"));
    }

    private static IReadOnlyList<KnownMiddlebox> Read(string json) => MiddleboxCatalogue.Read(new MemoryStream(Encoding.UTF8.GetBytes(json)));

    // A sound entry in which one member is another.
    private static string Entry(string member)
    {
        string[] sound = ["\"name\":\"x\"", "\"title\":\"X\"", "\"idleSeconds\":60", "\"expiry\":\"silent\"", "\"refresh\":\"segments\"", "\"source\":\"S\"", "\"checked\":\"2026-11-21\""];
        string name = member.Split(':')[0];
        return $"{{{string.Join(',', [.. sound.Where(other => other.Split(':')[0] != name), member])}}}";
    }
}
