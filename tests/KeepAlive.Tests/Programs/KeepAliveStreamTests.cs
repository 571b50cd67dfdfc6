using System.Text;
using System.Threading.Channels;
using KeepAlive.Protocols;

namespace KeepAlive.Tests.Programs;

/// <summary>A client's stream that keeps itself alive in its protocol's words, against a server of the test's.</summary>
public sealed class KeepAliveStreamTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private static readonly KeepAlivePolicy Policy = KeepAlivePolicy.Parse("60:3:10");

    private readonly ManualTime _time = new();
    private readonly KeepAliveClock _clock;
    private readonly ServerStream _server = new();

    public KeepAliveStreamTests() => _clock = new KeepAliveClock(_time, () => 0);

    public void Dispose()
    {
        _clock.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task Ftp_a_NOOP_goes_in_and_its_answer_stays_out_of_sight()
    {
        await using KeepAliveStream stream = Open("ftp");
        await LogInAsync(stream);
        _time.Advance(Policy.Idle + TimeSpan.FromSeconds(1));
        Assert.Equal("NOOP\r\n", await _server.HeardAsync());
        Task<string> reading = ReadAsync(stream);
        _server.Say("200 Zzz.\r\n");
        await WriteAsync(stream, "PWD\r\n");
        Assert.Equal("PWD\r\n", await _server.HeardAsync());
        _server.Say("257 \"/\"\r\n");
        Assert.Equal("257 \"/\"\r\n", await reading.WaitAsync(Bound));
        Assert.Null(stream.WhyPlain);
    }

    [Fact]
    public async Task Ftp_data_addresses_stay_as_they_are()
    {
        await using KeepAliveStream stream = Open("ftp");
        await LogInAsync(stream);
        await WriteAsync(stream, "PASV\r\n");
        Assert.Equal("PASV\r\n", await _server.HeardAsync());
        _server.Say("227 Entering Passive Mode (192,0,2,1,200,13)\r\n");
        Assert.Equal("227 Entering Passive Mode (192,0,2,1,200,13)\r\n", await ReadAsync(stream).WaitAsync(Bound));
    }

    [Fact]
    public async Task A_server_that_answers_no_probe_is_dead_and_reads_fail()
    {
        await using KeepAliveStream stream = Open("ftp");
        await LogInAsync(stream);
        Task<string> reading = ReadAsync(stream);
        _time.Advance(Policy.Idle + TimeSpan.FromSeconds(1));
        Assert.Equal("NOOP\r\n", await _server.HeardAsync());
        for (int second = 0; second < 40 && !stream.PeerDied.IsCancellationRequested; second++) _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<IOException>(() => reading.WaitAsync(Bound));
        await Assert.ThrowsAsync<IOException>(() => WriteAsync(stream, "PWD\r\n").WaitAsync(Bound));
    }

    [Fact]
    public async Task A_client_that_does_not_read_meanwhile_is_kept_alive_too()
    {
        await using KeepAliveStream stream = Open("ftp");
        await LogInAsync(stream);
        for (int round = 0; round < 4; round++)
        {
            _time.Advance(Policy.Idle + TimeSpan.FromSeconds(1));
            Assert.Equal("NOOP\r\n", await _server.HeardAsync());
            _server.Say("200 Zzz.\r\n");
            Assert.True(SpinWait.SpinUntil(() => stream.Flow.Silence < TimeSpan.FromSeconds(5), Bound), "the answer was not heard");
        }

        await WriteAsync(stream, "PWD\r\n");
        Assert.Equal("PWD\r\n", await _server.HeardAsync());
        _server.Say("257 \"/\"\r\n");
        Assert.Equal("257 \"/\"\r\n", await ReadAsync(stream).WaitAsync(Bound));
    }

    [Fact]
    public async Task A_read_that_is_given_up_loses_nothing()
    {
        await using KeepAliveStream stream = Open("redis");
        using var impatient = new CancellationTokenSource();
        Task<int> reading = stream.ReadAsync(new byte[10], impatient.Token).AsTask();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(Bound));
        _server.Say("+OK\r\n");
        Assert.Equal("+OK\r\n", await ReadAsync(stream).WaitAsync(Bound));
    }

    [Fact]
    public async Task Ldap_an_answer_that_is_the_client_s_own_passes_in_pieces_too()
    {
        await using KeepAliveStream stream = Open("ldap");
        byte[] bind = [0x30, 12, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0], done = [0x30, 12, 2, 1, 1, 0x61, 7, 10, 1, 0, 4, 0, 4, 0];
        await stream.WriteAsync(bind, TestContext.Current.CancellationToken);
        Assert.Equal(bind, await _server.HeardBytesAsync());
        var got = new List<byte>();
        foreach (byte one in done) _server.Say([one]);
        byte[] buffer = new byte[5];
        while (got.Count < done.Length) got.AddRange(buffer[..await stream.ReadAsync(buffer, TestContext.Current.CancellationToken).AsTask().WaitAsync(Bound)]);
        Assert.Equal(done, got);
    }

    [Fact]
    public async Task What_is_not_the_protocol_makes_it_a_plain_stream_that_passes_all()
    {
        await using KeepAliveStream stream = Open("redis");
        _server.Say("SSH-2.0-OpenSSH_9.2\r\n");
        Assert.Equal("SSH-2.0-OpenSSH_9.2\r\n", await ReadAsync(stream).WaitAsync(Bound));
        Assert.NotNull(stream.WhyPlain);
        await WriteAsync(stream, "anything");
        Assert.Equal("anything", await _server.HeardAsync());
    }

    [Fact]
    public async Task The_server_s_end_is_the_stream_s()
    {
        await using KeepAliveStream stream = Open("redis");
        _server.Say("+OK\r\n");
        _server.Say([]);
        Assert.Equal("+OK\r\n", await ReadAsync(stream).WaitAsync(Bound));
        Assert.Equal("", await ReadAsync(stream).WaitAsync(Bound));
    }

    [Fact]
    public void A_protocol_that_is_none_is_told_with_all_that_are()
    {
        string message = Assert.Throws<ArgumentException>(() => Open("tcp")).Message;
        Assert.StartsWith("'tcp' is no protocol with probes: give one of ftp, ", message, StringComparison.Ordinal);
        Assert.All(["ftp", "ldap", "websocket", "redis", "imap", "postgresql"], name => Assert.Contains(name, KeepAliveStream.Protocols));
    }

    private KeepAliveStream Open(string protocol) => new(_server, protocol, Policy, null, _clock, _time);

    private async Task LogInAsync(KeepAliveStream stream)
    {
        foreach ((string said, string answer) in ((string, string)[])[("", "220 here\r\n"), ("USER me\r\n", "331 and?\r\n"), ("PASS x\r\n", "230 in\r\n")])
        {
            if (said.Length > 0)
            {
                await WriteAsync(stream, said);
                Assert.Equal(said, await _server.HeardAsync());
            }

            _server.Say(answer);
            Assert.Equal(answer, await ReadAsync(stream).WaitAsync(Bound));
        }
    }

    private static Task WriteAsync(KeepAliveStream stream, string text) => stream.WriteAsync(Encoding.ASCII.GetBytes(text)).AsTask();

    private static async Task<string> ReadAsync(KeepAliveStream stream)
    {
        byte[] buffer = new byte[1024];
        return Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer));
    }

    /// <summary>The connection, whose other end the test plays.</summary>
    private sealed class ServerStream : Stream
    {
        private readonly Channel<byte[]> _said = Channel.CreateUnbounded<byte[]>();
        private readonly Channel<byte[]> _heard = Channel.CreateUnbounded<byte[]>();

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Say(string text) => Say(Encoding.ASCII.GetBytes(text));

        public void Say(byte[] bytes) => _said.Writer.TryWrite(bytes);

        public Task<byte[]> HeardBytesAsync() => _heard.Reader.ReadAsync().AsTask().WaitAsync(Bound);

        public async Task<string> HeardAsync() => Encoding.ASCII.GetString(await HeardBytesAsync());

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            byte[] bytes = await _said.Reader.ReadAsync(cancellationToken);
            bytes.CopyTo(buffer);
            return bytes.Length;
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            await _heard.Writer.WriteAsync(buffer.ToArray(), cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
