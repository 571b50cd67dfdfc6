using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using KeepAlive.Sockets;

namespace KeepAlive.Tests.Sockets;

/// <summary>The order of events of a race, with connects and the clock in the test's hand.</summary>
public sealed class ConnectRaceTests
{
    private static readonly IPAddress A = IPAddress.Parse("2001:db8::1");
    private static readonly IPAddress B = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress C = IPAddress.Parse("2001:db8::2");

    private readonly Channel<Attempt> _attempts = Channel.CreateUnbounded<Attempt>();
    private readonly Channel<Wait> _waits = Channel.CreateUnbounded<Wait>();
    private readonly ConnectRace<Connection> _race;

    public ConnectRaceTests() => _race = new ConnectRace<Connection>(
        (address, token) =>
        {
            var attempt = new Attempt(address, token);
            Assert.True(_attempts.Writer.TryWrite(attempt));
            return attempt.Source.Task;
        },
        (span, token) =>
        {
            var wait = new Wait(span);
            token.Register(() => wait.Source.TrySetCanceled(token));
            Assert.True(_waits.Writer.TryWrite(wait));
            return wait.Source.Task;
        });

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Families_take_turns_beginning_with_the_first()
    {
        IPAddress d = IPAddress.Parse("192.0.2.2"), e = IPAddress.Parse("2001:db8::3");
        Assert.Equal([A, B, C, d, e], AddressOrder.Interleave([A, C, e, B, d]));
        Assert.Equal([B, A, d, C], AddressOrder.Interleave([B, d, A, C]));
        Assert.Equal([B, d], AddressOrder.Interleave([B, d, B]));
        Assert.Empty(AddressOrder.Interleave([]));
        Assert.Equal(AddressOrder.AddressesMax, AddressOrder.Interleave(Enumerable.Range(1, 99).Select(i => new IPAddress(i))).Count);
    }

    [Fact]
    public async Task The_next_begins_after_the_attempt_delay_and_the_loser_is_closed()
    {
        Task<Connection?> race = _race.RunAsync([A, B], Cancellation);
        Attempt first = await NextAttempt(A);
        await AttemptDelayPasses();
        Attempt second = await NextAttempt(B);
        var winner = new Connection();
        second.Source.SetResult(winner);
        Assert.Same(winner, await race);
        Assert.True(first.Token.IsCancellationRequested);

        // The loser's connect comes through all the same: nobody keeps it.
        var late = new Connection();
        first.Source.SetResult(late);
        await late.Closed;
        Assert.False(winner.Closed.IsCompleted);
    }

    [Fact]
    public async Task The_next_begins_at_once_when_one_fails()
    {
        Task<Connection?> race = _race.RunAsync([A, B, C], Cancellation);
        (await NextAttempt(A)).Fail(SocketError.NetworkUnreachable);
        (await NextAttempt(B)).Fail(SocketError.ConnectionRefused);
        var winner = new Connection();
        (await NextAttempt(C)).Source.SetResult(winner);
        Assert.Same(winner, await race);
        Assert.Equal([SocketError.NetworkUnreachable, SocketError.ConnectionRefused], _race.Ended.Select(e => e.Error));
    }

    [Fact]
    public async Task The_last_one_under_way_may_take_its_time()
    {
        Task<Connection?> race = _race.RunAsync([A, B], Cancellation);
        Attempt first = await NextAttempt(A);
        await AttemptDelayPasses();
        Attempt second = await NextAttempt(B);
        Assert.Equal(Timeout.InfiniteTimeSpan, (await _waits.Reader.ReadAsync(Cancellation)).Span);
        second.Fail(SocketError.ConnectionRefused);
        Assert.False(race.IsCompleted);
        first.Source.SetResult(new Connection());
        Assert.NotNull(await race);
    }

    [Fact]
    public async Task Nothing_wins_when_all_fail()
    {
        Task<Connection?> race = _race.RunAsync([A, B], Cancellation);
        (await NextAttempt(A)).Fail(SocketError.ConnectionRefused);
        (await NextAttempt(B)).Fail(SocketError.ConnectionRefused);
        Assert.Null(await race);
        Assert.Equal([A, B], _race.Ended.Select(e => e.Address));
        Assert.Empty(_race.Undecided);
    }

    [Fact]
    public async Task Cancelling_closes_what_is_under_way_and_begins_nothing_more()
    {
        using var stop = new CancellationTokenSource();
        Task<Connection?> race = _race.RunAsync([A, B], stop.Token);
        Attempt first = await NextAttempt(A);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => race);
        Assert.Equal([A], _race.Undecided);
        var late = new Connection();
        first.Source.SetResult(late);
        await late.Closed;
        Assert.False(_attempts.Reader.TryRead(out _));
    }

    private async Task<Attempt> NextAttempt(IPAddress address)
    {
        Attempt attempt = await _attempts.Reader.ReadAsync(Cancellation);
        Assert.Equal(address, attempt.Address);
        return attempt;
    }

    private async Task AttemptDelayPasses()
    {
        Wait wait = await _waits.Reader.ReadAsync(Cancellation);
        Assert.Equal(TimeSpan.FromMilliseconds(250), wait.Span);
        wait.Source.SetResult();
    }

    private sealed record Attempt(IPAddress Address, CancellationToken Token)
    {
        public TaskCompletionSource<Connection> Source { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Fail(SocketError error) => Source.SetException(new SocketException((int)error));
    }

    private sealed record Wait(TimeSpan Span)
    {
        public TaskCompletionSource Source { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Connection : IDisposable
    {
        private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Closed => _closed.Task;

        public void Dispose() => _closed.TrySetResult();
    }
}
