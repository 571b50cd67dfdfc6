using KeepAlive.App.Events;
using KeepAlive.App.Live;

namespace KeepAlive.Tests.App;

public sealed class LiveEventsTests
{
    [Fact]
    public void The_newest_are_kept_and_what_is_left_out_is_counted()
    {
        var events = new LiveEvents();
        for (int i = 1; i <= LiveEvents.Max + 500; i++) events.OnTold(new FactTold("notice", null, $"{i}"));
        ToldEvent[] read = events.Read(0, LiveEvents.Max, out long leftOut, out long last);
        Assert.Equal((500, LiveEvents.Max + 500, LiveEvents.Max), (leftOut, last, read.Length));
        Assert.Equal(("501", "1500"), (Text(read[0]), Text(read[^1])));

        read = events.Read(last - 3, 2, out leftOut, out _);
        Assert.Equal((1, "1499", "1500"), (leftOut, Text(read[0]), Text(read[^1])));
        Assert.Empty(events.Read(last, 10, out leftOut, out _));
        Assert.Equal(0, leftOut);
    }

    private static string Text(ToldEvent told) => ((FactTold)told).Text;
}
