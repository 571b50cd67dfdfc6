using System.Net.Sockets;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>Turns a client away in its protocol's words.</summary>
internal static class Refusal
{
    // What it had said already is read up to here: the rest would turn its FIN into a reset.
    private const int ReadMax = 64 * 1024;

    // What TLS has still to send waits for a client that reads nothing so long.
    private static readonly TimeSpan WordsWait = TimeSpan.FromSeconds(5);

    /// <summary>Inside TLS where the client speaks it: nothing is said to it in plain text.</summary>
    public static void Send(SocketLeg client, ReadOnlyMemory<byte> words)
    {
        if (client.IsBare) Send(client.Socket, words.Span);
        else _ = SendAsync(client, words);
    }

    private static async Task SendAsync(SocketLeg client, ReadOnlyMemory<byte> words)
    {
        try
        {
            await client.SendAsync(words).AsTask().WaitAsync(WordsWait).ConfigureAwait(false);
            await client.EndAsync().AsTask().WaitAsync(WordsWait).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RelayException or TimeoutException)
        {
            // As good.
        }

        Send(client.Socket, default);
        client.Close();
    }

    public static void Send(Socket client, ReadOnlySpan<byte> words)
    {
        try
        {
            client.Blocking = false;
            if (!words.IsEmpty) client.Send(words);
            Span<byte> said = stackalloc byte[4096];
            for (int read = 0; read < ReadMax && client.Available > 0;) read += client.Receive(said);
        }
        catch (SocketException)
        {
            // It is being turned away; that it has gone already is as good.
        }

        client.CloseOrderly();
    }
}
