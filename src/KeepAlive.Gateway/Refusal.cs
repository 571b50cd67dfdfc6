using System.Net.Sockets;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>Turns a client away in its protocol's words.</summary>
internal static class Refusal
{
    // What it had said already is read up to here: the rest would turn its FIN into a reset.
    private const int ReadMax = 64 * 1024;

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
