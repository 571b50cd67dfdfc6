using System.Net.Sockets;
using System.Text;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Gateway.Tls;

/// <summary>
/// Makes a server's FTP session an FTPS one (RFC 4217) before the client, which speaks plain FTP to us, hears the greeting:
/// <code>
/// explicit: 220 ◀   ▶ AUTH TLS   234 ◀   handshake   ▶ PBSZ 0   200 ◀   ▶ PROT P   200 ◀
/// implicit:                              handshake   220 ◀   ▶ PBSZ 0   200 ◀   ▶ PROT P   200 ◀
/// </code>
/// </summary>
internal sealed class FtpsDialog(Socket server, TlsUpstream tls, string spelling)
{
    private const int ServiceReadySoon = 120;
    private const int ServiceReady = 220;
    private const int AuthAccepted = 234;

    // Greetings have whole pages of terms of use; more than this is none.
    private const int RepliesBytesMax = 16 * 1024;

    private readonly byte[] _read = new byte[RepliesBytesMax];
    private int _start;
    private int _end;

    /// <summary>What a client is told whose server cannot be spoken to in TLS.</summary>
    public static ReadOnlyMemory<byte> Refusal { get; } = "421 The server cannot be spoken to in TLS, and nothing is sent without it.\r\n"u8.ToArray();

    /// <summary>The session, inside TLS; what is read of it first is the server's greeting.</summary>
    /// <exception cref="FtpsException">The server does not do it.</exception>
    /// <exception cref="TlsException">The handshake failed.</exception>
    /// <exception cref="RelayException">The leg died.</exception>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    public async Task<TlsLeg> OpenAsync(bool isImplicit, CancellationToken time)
    {
        byte[] greeting = [];
        if (!isImplicit)
        {
            var plain = new SocketLeg(server);
            greeting = await GreetingAsync(plain, time).ConfigureAwait(false);
            int code = await AskAsync(plain, "AUTH TLS", time).ConfigureAwait(false);
            if (code != AuthAccepted) throw new FtpsException($"the server answers AUTH TLS with {code}: it speaks no FTPS here, and nothing is sent without");
            // Whoever put it there wants it taken for what TLS protects.
            if (_start != _end) throw new FtpsException("something stands in plain text behind the answer to AUTH TLS: somebody on the way may have put it there");
        }

        TlsLeg leg = await tls.ShakeAsync(server, spelling, time).ConfigureAwait(false);
        try
        {
            if (isImplicit) greeting = await GreetingAsync(leg, time).ConfigureAwait(false);
            await ProtectDataAsync(leg, time).ConfigureAwait(false);
        }
        catch
        {
            leg.Close();
            throw;
        }

        leg.PutBack((byte[])[.. greeting, .. _read.AsSpan(_start.._end)]);
        return leg;
    }

    private async Task ProtectDataAsync(TlsLeg leg, CancellationToken time)
    {
        foreach (string command in (string[])["PBSZ 0", "PROT P"])
        {
            int code = await AskAsync(leg, command, time).ConfigureAwait(false);
            if (code is < 200 or > 299) throw new FtpsException($"the server answers {command} with {code}: data would go in plain text");
        }
    }

    // A server that is not ready yet says so before (RFC 959 section 5.4).
    private async Task<byte[]> GreetingAsync(SocketLeg leg, CancellationToken time)
    {
        byte[] all = [];
        while (true)
        {
            (int code, byte[] text) = await ReplyAsync(leg, time).ConfigureAwait(false);
            all = [.. all, .. text];
            if (code == ServiceReady) return all;
            if (code != ServiceReadySoon) throw new FtpsException($"the server greets with {code}") { Words = all };
        }
    }

    private async Task<int> AskAsync(SocketLeg leg, string command, CancellationToken time)
    {
        await leg.SendAsync(Encoding.ASCII.GetBytes(command + "\r\n")).AsTask().WaitAsync(time).ConfigureAwait(false);
        return (await ReplyAsync(leg, time).ConfigureAwait(false)).Code;
    }

    private async Task<(int Code, byte[] Text)> ReplyAsync(SocketLeg leg, CancellationToken time)
    {
        while (true)
        {
            FtpReplyState state = FtpReply.Read(_read.AsSpan(_start.._end), out int code, out int length);
            if (state == FtpReplyState.Whole)
            {
                _start += length;
                return (code, _read[(_start - length).._start]);
            }

            if (state == FtpReplyState.Malformed || _end == _read.Length) throw new FtpsException("what the server says is no reply of FTP: is it the right port, and is TLS to begin there at once (990)?");
            int read = await leg.ReceiveAsync(_read.AsMemory(_end)).AsTask().WaitAsync(time).ConfigureAwait(false);
            if (read == 0) throw new FtpsException("the server closed the connection");
            _end += read;
        }
    }
}

/// <summary>A server does not make its session an FTPS one; the message is why.</summary>
internal sealed class FtpsException(string why) : Exception(why)
{
    /// <summary>What the client is told: the server's own words; null for ours.</summary>
    public ReadOnlyMemory<byte>? Words { get; init; }
}
