using System.Net;
using System.Text;
using KeepAlive.App.Web;

namespace KeepAlive.Tests.App;

public sealed class WebTokensTests
{
    private const string Secret = "a secret of many letters";
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1"), There = IPAddress.Parse("192.0.2.2");

    private readonly WebTokens _tokens;
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

    public WebTokensTests() => _tokens = new WebTokens(Encoding.UTF8.GetBytes(Secret), () => _now);

    [Fact]
    public void After_ten_wrong_ones_nothing_from_there_is_looked_at_for_a_minute()
    {
        for (int i = 0; i < 10; i++) Assert.Equal(TokenAnswer.Wrong, _tokens.Try(Here, $"{i}"));
        Assert.Equal(TokenAnswer.TooMany, _tokens.Try(Here, Secret));
        Assert.Equal(TokenAnswer.Right, _tokens.Try(There, Secret));
        _now += TimeSpan.FromSeconds(61);
        Assert.Equal(TokenAnswer.Right, _tokens.Try(Here, Secret));
    }

    [Fact]
    public void With_guessers_everywhere_who_has_not_guessed_yet_waits_too_and_memory_does_not_grow()
    {
        for (int i = 0; i < 5000; i++) _tokens.Try(new IPAddress([10, 0, (byte)(i >> 8), (byte)i]), "wrong");
        Assert.Equal(TokenAnswer.TooMany, _tokens.Try(There, Secret));
        _now += TimeSpan.FromSeconds(61);
        Assert.Equal(TokenAnswer.Right, _tokens.Try(There, Secret));
    }

    [Fact]
    public void A_session_is_good_for_its_time_and_no_other_is()
    {
        string session = _tokens.Begin();
        Assert.True(_tokens.IsSession(session));
        Assert.False(_tokens.IsSession(session + "0"));
        Assert.False(_tokens.IsSession(Secret));
        _now += WebTokens.SessionTime;
        Assert.False(_tokens.IsSession(session));
    }

    [Fact]
    public void Without_a_token_none_is_right() => Assert.Equal(TokenAnswer.Wrong, new WebTokens(null, () => _now).Try(Here, ""));
}
