using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Sessions;
using Npgsql;

namespace KeepAlive.SystemTests.Packages;

/// <summary>What docs/dotnet says of a library that has settings of its own.</summary>
public sealed class NpgsqlTests
{
    // One and a half times what the NAT remembers.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(12);

    [Fact]
    public void The_words_of_the_recipe_are_Npgsql_s()
    {
        var settings = new NpgsqlConnectionStringBuilder("Host=db;Tcp Keepalive=true;Tcp Keepalive Time=60;Tcp Keepalive Interval=20");
        Assert.Equal((true, 60, 20, 0), (settings.TcpKeepAlive, settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval, settings.KeepAlive));
    }

    [Fact]
    public async Task Behind_a_NAT_a_session_dies_without_the_recipe_and_lives_with_it()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using PostgreSqlServer server = await PostgreSqlServer.StartAsync(lab);
        string plain = $"Host={lab.Server.Address};Port={PostgreSqlServer.Port};Username={PostgreSqlServer.User};Database=postgres;SSL Mode=Disable;Pooling=false;Command Timeout=5;Cancellation Timeout=-1";
        await using NpgsqlConnection without = await OpenAsync(lab, plain), with = await OpenAsync(lab, plain + ";Tcp Keepalive=true;Tcp Keepalive Time=3;Tcp Keepalive Interval=1");
        await Task.Delay(Silence, TestContext.Current.CancellationToken);
        Assert.Equal(1, await AskAsync(with));
        Assert.IsType<TimeoutException>((await Assert.ThrowsAsync<NpgsqlException>(() => AskAsync(without))).InnerException);
    }

    // Its socket belongs to the host of the thread that opens it.
    private static Task<NpgsqlConnection> OpenAsync(NetworkLab lab, string settings) => lab.Client.InsideAsync(() =>
    {
        var connection = new NpgsqlConnection(settings);
        connection.Open();
        return connection;
    });

    private static async Task<object?> AskAsync(NpgsqlConnection connection)
    {
        await using var question = new NpgsqlCommand("SELECT 1", connection);
        return await question.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
