namespace KeepAlive.Tests.Analyzers;

/// <summary>What the analyzer tells, what it leaves alone, and what its fixes write.</summary>
public sealed class HandWrittenKeepAliveTests
{
    private const string On = "socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);";

    [Theory]
    [InlineData("TcpKeepAliveTime, 60000", "KA0001 60000")]
    [InlineData("TcpKeepAliveTime, 7_200_000", "KA0001 7_200_000")]
    [InlineData("TcpKeepAliveTime, 60 * 1000", "KA0001 60 * 1000")]
    [InlineData("TcpKeepAliveInterval, 1000", "KA0001 1000")]
    [InlineData("TcpKeepAliveTime, 60", null)]
    [InlineData("TcpKeepAliveTime, 7200", null)]
    [InlineData("TcpKeepAliveInterval, 75", null)]
    [InlineData("TcpKeepAliveRetryCount, 9", null)]
    [InlineData("TcpKeepAliveTime, number", "KA0002 number")]
    [InlineData("TcpKeepAliveTime, 60u", "KA0002 60u")]
    [InlineData("TcpKeepAliveInterval, 15L", "KA0002 15L")]
    [InlineData("TcpKeepAliveTime, time", "KA0002 time")]
    [InlineData("TcpKeepAliveTime, true", "KA0002 true")]
    [InlineData("TcpKeepAliveRetryCount, true", "KA0002 true")]
    [InlineData("TcpKeepAliveTime, (int)number", null)]
    [InlineData("TcpKeepAliveTime, (int)time.TotalSeconds", null)]
    public async Task Numbers(string nameAndValue, string? told)
    {
        using var code = AnalyzedCode.OfStatements($"socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.{nameAndValue});");
        Assert.Equal(told is null ? [] : [told], await code.TellAsync());
    }

    [Theory]
    [InlineData(On, 1)]
    [InlineData("socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, 1);", 1)]
    [InlineData("socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, false);", 0)]
    [InlineData("socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);", 0)]
    [InlineData(On + "socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);", 0)]
    [InlineData("socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);" + On, 0)]
    [InlineData("if (OperatingSystem.IsWindows()) socket.IOControl(IOControlCode.KeepAliveValues, new byte[12], null);" + On, 0)]
    public async Task On_without_an_idle_time(string statements, int told)
    {
        using var code = AnalyzedCode.OfStatements(statements);
        Assert.Equal(Enumerable.Repeat($"KA0004 {statements.TrimEnd(';')}", told), await code.TellAsync());
    }

    [Theory]
    [InlineData(On + "socket.Listen(5);", true)]
    [InlineData("listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);", true)]
    [InlineData("socket.Listen(5); var client = socket.Accept(); client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);", false)]
    public async Task On_a_listener(string statements, bool told)
    {
        using var code = AnalyzedCode.OfStatements(statements);
        Assert.Equal(told, (await code.TellAsync()).Any(line => line.StartsWith("KA0005", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("socket.IOControl(IOControlCode.KeepAliveValues, new byte[12], null);", true)]
    [InlineData("if (OperatingSystem.IsWindows()) { socket.IOControl(IOControlCode.KeepAliveValues, new byte[12], null); }", false)]
    [InlineData("socket.IOControl(IOControlCode.DataToRead, null, new byte[4]);", false)]
    public async Task Windows_call(string statements, bool told)
    {
        using var code = AnalyzedCode.OfStatements(statements);
        Assert.Equal(told ? ["KA0003"] : [], (await code.TellAsync()).Select(line => line[..6]));
    }

    [Theory]
    [InlineData("socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60000);", "TcpKeepAliveTime, 60);")]
    [InlineData("socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, number);", "TcpKeepAliveTime, (int)number);")]
    [InlineData("socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, number + 1);", "TcpKeepAliveTime, (int)(number + 1));")]
    [InlineData("socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 15u);", "TcpKeepAliveInterval, 15);")]
    [InlineData("socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, time);", "TcpKeepAliveTime, (int)time.TotalSeconds);")]
    [InlineData(On, "socket.SetKeepAlive(\"60:3:20\");")]
    public async Task Fixes(string statement, string mended)
    {
        using var code = AnalyzedCode.OfStatements(statement);
        string? now = await code.FixAsync();
        Assert.Contains(mended, now, StringComparison.Ordinal);
        Assert.Equal(statement == On, now?.Contains("using KeepAlive;", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_nobody_knows_how_to_mend_has_no_fix()
    {
        using var code = AnalyzedCode.OfStatements("socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, true);");
        Assert.Null(await code.FixAsync());
    }

    [Fact]
    public async Task A_message_says_what_it_means_and_what_was_meant()
    {
        using var code = AnalyzedCode.OfStatements("socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60000);");
        Assert.Equal("TcpKeepAliveTime is in seconds on every system: 60000 is 16 hours; did you mean 60?", Assert.Single(await code.MessagesAsync()));
    }
}
