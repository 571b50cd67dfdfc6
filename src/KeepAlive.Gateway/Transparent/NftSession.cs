using System.Diagnostics;

namespace KeepAlive.Gateway.Transparent;

/// <summary>
/// An nft(8) that runs as long as we do and owns our table: the kernel removes that as soon as it ends (nf_tables_api.c,
/// nft_rcv_nl_event), and it ends when our end of its stdin is closed, by whatever way we go. Nobody else may change the
/// table, nor does "flush ruleset" of a firewall's own scripts reach it.
/// </summary>
internal sealed class NftSession : IAsyncDisposable
{
    // What stops us is no business of it: sent to all of a terminal's or a service's processes, it would end the flows that drain.
    private const string Deaf = "trap '' INT TERM HUP QUIT; exec \"$0\" -i";

    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(10);

    private readonly Process _process = NftProgram.Start("/bin/sh", "-c", Deaf, NftProgram.Path);
    private Task<string?>? _output;
    private Task<string?>? _error;

    /// <summary>Done when it has ended: the table is gone.</summary>
    public Task Ended => _process.WaitForExitAsync();

    /// <summary>Has it carry out a text, in one transaction.</summary>
    /// <param name="text">Commands of nft.</param>
    /// <param name="table">A table of family inet that is there afterwards.</param>
    /// <exception cref="RedirectException">It refused, or did not answer within 10 s.</exception>
    public async Task DoAsync(string text, string table)
    {
        // It takes each line for a whole, and says nothing unless asked or in trouble.
        await NftProgram.WriteAsync(_process, $"{text.TrimEnd().Replace('\n', ';')}\nlist tables inet\n").ConfigureAwait(false);
        try
        {
            await AnswerAsync($"table inet {table}").WaitAsync(TimeMax).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new RedirectException($"nft: no answer within {TimeMax.TotalSeconds:0} s", e);
        }
    }

    /// <summary>Ends it, and with it the table.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already.
        }

        try
        {
            await Ended.WaitAsync(TimeMax).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private async Task AnswerAsync(string expected)
    {
        while (true)
        {
            _output ??= _process.StandardOutput.ReadLineAsync();
            _error ??= _process.StandardError.ReadLineAsync();
            if (await Task.WhenAny(_output, _error).ConfigureAwait(false) == _error)
                throw NftProgram.Refused(await _error.ConfigureAwait(false) ?? "it ended by itself");
            string? line = await _output.ConfigureAwait(false);
            if (line is null) throw NftProgram.Refused(await _error.ConfigureAwait(false) ?? "it ended by itself");
            _output = null;
            // With a prompt before it where it was built with another line editor.
            if (line.EndsWith(expected, StringComparison.Ordinal)) return;
        }
    }
}
