using System.CommandLine;
using System.Text.Json;
using System.Xml.Linq;
using KeepAlive.App.Simulate;

namespace KeepAlive.Tests.App;

public sealed class SimulateTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Says_what_became_of_the_flows()
    {
        string[] lines = Simulate("60:4:15", "--flows", "100", "--time", "1h", "--loss", "0%", "--deaths", "0").Split('\n');
        Assert.Equal("60:4:15: idle 60s, 4 probes 15s apart: dead after 2m0s", lines[0]);
        Assert.Equal("100 flows for 1h0m0s, behind aws-nlb 5m50s, 0% of the segments lost, deaths of a peer a day: 0, idle all the time; seed 1", lines[1]);
        Assert.Equal("  survived         100 of 100 flows (100%) were never ended wrongly", lines[3]);
        Assert.Equal("  ended wrongly    0", lines[4]);
        Assert.Equal("  dead peers       0 found, 0 not yet", lines[5]);
        Assert.Matches(@"^  probes           6\d\d\d, 1[45]\d\d(\.\d)? a flow and day; with answers 15\d\d\d\d bytes \(IPv4\)$", lines[6]);
        Assert.Matches(@"^  peak             \d\d probes a second with jitter, \d\d\d? without$", lines[7]);
    }

    [Fact]
    public void The_same_seed_gives_the_same_output()
    {
        string[] args = ["60:4:15", "--flows", "500", "--time", "2h", "--outage-every", "30m", "--outage-for", "1m", "--sleep-every", "1h", "--sleep-for", "3m", "--traffic", "5m", "--deaths", "10"];
        foreach (string[] form in (string[][])[[], ["--json"], ["--compare", "30:3:10"]])
        {
            string first = Simulate([.. args, .. form]);
            Assert.Equal(first, Simulate([.. args, .. form]));
            Assert.NotEqual(first, Simulate([.. args, .. form, "--seed", "2"]));
        }
    }

    [Fact]
    public void Compares()
    {
        string[] lines = Simulate("60:4:15", "--compare", "30:3:10,7200:9:75,60:4:15", "--flows", "100", "--time", "3h").Split('\n');
        Assert.StartsWith("policy     survived  expired  false deaths", lines[2], StringComparison.Ordinal);
        Assert.Equal(["60:4:15", "30:3:10", "7200:9:75", ""], lines[3..].Select(line => line.Split(' ')[0]));
        Assert.Matches(@"^7200:9:75 +0% +\d+ ", lines[5]);
    }

    [Fact]
    public void JSON_has_one_shape()
    {
        using JsonDocument full = JsonDocument.Parse(Simulate(
            "60:4:15", "--flows", "50", "--time", "1h", "--outage-every", "30m", "--outage-for", "1m", "--sleep-every", "1h", "--sleep-for", "3m", "--traffic", "5m", "--deaths", "10", "--cut-at", "30m", "--json"));
        using JsonDocument bare = JsonDocument.Parse(Simulate("60:4:15", "--flows", "50", "--time", "1h", "--timeout", "none", "--deaths", "0", "--compare", "30:3:10", "--json"));
        Assert.Equal(full.RootElement.EnumerateObject().Select(p => p.Name), bare.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal(2, bare.RootElement.GetProperty("policies").GetArrayLength());
        JsonElement policy = full.RootElement.GetProperty("policies")[0];
        Assert.All(bare.RootElement.GetProperty("policies").EnumerateArray(), other => Assert.Equal(policy.EnumerateObject().Select(p => p.Name), other.EnumerateObject().Select(p => p.Name)));
        Assert.Equal(1800, full.RootElement.GetProperty("cutAtSeconds").GetInt32());
        Assert.InRange(policy.GetProperty("deadFound").GetInt32(), 40, 60);
        Assert.Equal(JsonValueKind.Null, bare.RootElement.GetProperty("timeoutSeconds").ValueKind);
    }

    [Fact]
    public void Draws_every_policy_once_with_labels_apart()
    {
        string file = Path.Combine(Path.GetTempPath(), $"keepalive-{Environment.ProcessId}-{Guid.NewGuid():N}.svg");
        try
        {
            File.WriteAllText(file, "what was there before");
            Simulate("60:4:15", "--compare", "61:4:15,62:4:15,63:4:15,60:4:16,30:3:10,7200:9:75", "--flows", "50", "--time", "1h", "--svg", file);
            XElement drawing = XDocument.Load(file).Root!;
            Assert.Equal(7, drawing.Elements(Svg + "circle").Count());
            (double X, double Y, string Text)[] labels = [.. drawing.Elements(Svg + "text").Where(t => (string?)t.Attribute("font-size") == "12").Select(Label)];
            Assert.Equal(7, labels.Length);
            Assert.Contains("7200:9:75", labels.Select(l => l.Text.Split(' ')[0]));
            Assert.All(
                from a in labels from b in labels where a != b select (a, b),
                pair => Assert.True(Math.Abs(pair.a.Y - pair.b.Y) >= 12 || Math.Abs(pair.a.X - pair.b.X) >= 7 * Math.Min(pair.a.Text.Length, pair.b.Text.Length), $"{pair.a} is over {pair.b}"));
            Assert.All(drawing.Elements(Svg + "circle"), c => Assert.True((double)c.Attribute("cx")! is > 0 and < 860 && (double)c.Attribute("cy")! is > 0 and < 560));
            Assert.Empty(Directory.GetFiles(Path.GetTempPath(), $".{Path.GetFileName(file)}*"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_drawing_that_cannot_be_written_fails_and_leaves_nothing_behind()
    {
        string folder = Directory.CreateTempSubdirectory("keepalive-").FullName;
        try
        {
            string file = Path.Combine(folder, "a.svg"), link = Path.Combine(folder, "link.svg");
            File.WriteAllText(file, "");
            File.CreateSymbolicLink(link, file);
            WholeFile.Write(link, "new");
            Assert.Equal(("new", file), (File.ReadAllText(file), new FileInfo(link).LinkTarget));
            Directory.CreateDirectory(Path.Combine(folder, "taken"));
            Assert.Equal(1, Exit("60:4:15", "--flows", "5", "--time", "1h", "--svg", Path.Combine(folder, "taken")));
            Assert.Equal(1, Exit("60:4:15", "--flows", "5", "--time", "1h", "--svg", Path.Combine(folder, "missing", "a.svg")));
            Assert.Equal(["a.svg", "link.svg", "taken"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("'off' sends no probe", "off")]
    [InlineData("--outage-every and --outage-for go together", "60:4:15", "--outage-every", "1h")]
    [InlineData("--sleep-every and --sleep-for go together", "60:4:15", "--sleep-for", "1h")]
    [InlineData("is neither a known middlebox nor a duration", "60:4:15", "--timeout", "klingon")]
    [InlineData("count 300 is outside 1 to 255", "60:4:15", "--compare", "60:300:15")]
    [InlineData("between commas write idle:count:interval", "60:4:15", "--compare", "idle=60")]
    [InlineData("the interval is not above 50ms", "60:4:15", "--compare", "1s:3:10ms")]
    [InlineData("is not a whole number from 1 to", "60:4:15", "--flows", "0")]
    [InlineData("is not a duration from 1s to 30d", "60:4:15", "--time", "31d")]
    [InlineData("'1001' is not a number of deaths a day", "60:4:15", "--deaths", "1001")]
    [InlineData("'maybe' is neither on nor off", "60:4:15", "--jitter", "maybe")]
    public void Misuse_is_named(string fault, params string[] args) =>
        Assert.Contains(SimulateCommand.Create().Parse(args).Errors, error => error.Message.Contains(fault, StringComparison.Ordinal));

    private static (double X, double Y, string Text) Label(XElement text) =>
        ((double)text.Attribute("x")! - ((string?)text.Attribute("text-anchor") == "end" ? 7 * text.Value.Length : 0), (double)text.Attribute("y")!, text.Value);

    private static int Exit(params string[] args) =>
        SimulateCommand.Create().Parse(args).Invoke(new InvocationConfiguration { Output = TextWriter.Null, Error = TextWriter.Null });

    private static string Simulate(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int exit = SimulateCommand.Create().Parse(args).Invoke(new InvocationConfiguration { Output = output, Error = error });
        Assert.Equal((0, ""), (exit, error.ToString()));
        return output.ToString();
    }
}
