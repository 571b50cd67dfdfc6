using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using KeepAlive.App.Events;
using KeepAlive.Core;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Up;

/// <summary>Events as journald gets them.</summary>
public sealed class JournalTests
{
    [Fact]
    public async Task An_event_comes_field_by_field()
    {
        using var work = new WorkFolder();
        using Socket journal = Listen(work);
        using var writer = new JournalWriter(work.File("journal"));
        writer.Print(new FlowTold(new FlowEvent(7, Instant.Zero, FlowEventKind.Died, "silent for too long") { Leg = Leg.Upstream, Took = TimeSpan.FromMilliseconds(1.5) }, "ftp"));
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["MESSAGE"] = "ftp flow 7 upstream died: silent for too long [1.5ms]",
                ["PRIORITY"] = "4",
                ["SYSLOG_IDENTIFIER"] = "keepalive",
                ["KEEPALIVE_EVENT"] = "died",
                ["KEEPALIVE_GATEWAY"] = "ftp",
                ["KEEPALIVE_FLOW"] = "7",
                ["KEEPALIVE_LEG"] = "upstream",
                ["KEEPALIVE_TOOK_USEC"] = "1500",
            },
            await HearAsync(journal));
        writer.Print(new FactTold("lost", null, "two\nlines"));
        Dictionary<string, string> fact = await HearAsync(journal);
        Assert.Equal(("lost: two?lines", "4", "lost"), (fact["MESSAGE"], fact["PRIORITY"], fact["KEEPALIVE_EVENT"]));
        Assert.DoesNotContain("KEEPALIVE_NAME", fact.Keys);
    }

    [Theory]
    [InlineData("two\nlines")]
    [InlineData("\n")]
    [InlineData("=\nMESSAGE=forged\n")]
    public async Task Lines_in_a_value_are_no_fields(string name)
    {
        using var work = new WorkFolder();
        using Socket journal = Listen(work);
        using var writer = new JournalWriter(work.File("journal"));
        writer.Print(new FactTold("notice", name, "what"));
        Dictionary<string, string> fields = await HearAsync(journal);
        Assert.Equal(name, fields["KEEPALIVE_NAME"]);
        Assert.EndsWith("notice: what", fields["MESSAGE"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_long_is_cut_between_two_characters()
    {
        using var work = new WorkFolder();
        using Socket journal = Listen(work);
        using var writer = new JournalWriter(work.File("journal"));
        writer.Print(new FactTold("notice", "x" + new string('ä', JournalEntry.ValueBytesMax), "what"));
        string name = (await HearAsync(journal))["KEEPALIVE_NAME"];
        Assert.Equal("x" + new string('ä', (JournalEntry.ValueBytesMax - 1) / 2), name);
    }

    [Fact]
    public async Task A_journal_that_is_not_there_holds_nobody_up()
    {
        using var work = new WorkFolder();
        using (var writer = new JournalWriter(work.File("journal")))
        {
            writer.Print(new FactTold("notice", null, "nobody hears it"));
            using Socket journal = Listen(work);
            // However soon the first was tried: one of those that come now arrives.
            Task<Dictionary<string, string>> heard = HearAsync(journal);
            writer.Print(new FactTold("notice", null, "now"));
            Assert.Contains("notice: ", (await heard)["MESSAGE"], StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("8:1234", "socket:[1234]", true)]
    [InlineData("8:1234", "socket:[12345]", false)]
    [InlineData("8:1234", "/dev/pts/0", false)]
    [InlineData("8:1234", null, false)]
    [InlineData("1234", "socket:[1234]", false)]
    [InlineData("8:", "socket:[]", false)]
    [InlineData(null, "socket:[1234]", false)]
    public void Standard_output_is_the_journal_only_where_both_say_so(string? stream, string? link, bool isJournal) => Assert.Equal(isJournal, JournalWriter.IsFor(stream, link));

    private static Socket Listen(WorkFolder work)
    {
        var journal = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        journal.Bind(new UnixDomainSocketEndPoint(work.File("journal")));
        return journal;
    }

    // As systemd's documentation of its native protocol reads.
    private static async Task<Dictionary<string, string>> HearAsync(Socket journal)
    {
        byte[] datagram = new byte[256 * 1024];
        int length = await journal.ReceiveAsync(datagram).WaitAsync(UpProcess.Patience);
        var fields = new Dictionary<string, string>();
        for (int at = 0; at < length;)
        {
            int end = at + datagram.AsSpan(at, length - at).IndexOfAny((byte)'=', (byte)'\n');
            string name = Encoding.ASCII.GetString(datagram, at, end - at);
            int from = datagram[end] == '=' ? end + 1 : end + 1 + sizeof(ulong);
            int to = datagram[end] == '=' ? from + datagram.AsSpan(from).IndexOf((byte)'\n') : from + (int)BinaryPrimitives.ReadUInt64LittleEndian(datagram.AsSpan(end + 1));
            Assert.Equal((byte)'\n', datagram[to]);
            fields.Add(name, Encoding.UTF8.GetString(datagram, from, to - from));
            at = to + 1;
        }

        return fields;
    }
}
