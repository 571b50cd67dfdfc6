using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Bench.Load;

/// <summary>A relay that can be put between the load's client and its server.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Start">Starts it: where it listens, where it dials. Null for none: the client dials the server.</param>
internal sealed record Relay(string Name, Func<int, int, Peer>? Start)
{
    public const string OursName = "keepalive gateway, tcp";
    public const string InspectedName = "keepalive gateway, ftp";
    public const string ForkingName = "socat, 64 KB";
    public const string SockmapName = "BPF sockmap, no limit";
    public const string LoopName = "plain C# loop";
    public const string DirectName = "direct";
    public const string SplicedName = "HAProxy, spliced, 1 MB pipes";

    private static string Servers => Path.Combine(Machine.Root, ".cache/servers");

    /// <summary>Ours, as users run it.</summary>
    public static Relay Ours(string name, string protocol, params string[] more) => new(name, (listen, to) => Peer.Start(Machine.Program,
        ["gateway", "--listen", $"127.0.0.1:{listen}", "--to", $"127.0.0.1:{to}", "--protocol", protocol, "--no-check", .. more]));

    /// <summary>All that are on this machine, and those that are not by name.</summary>
    /// <param name="folder">For their configurations.</param>
    /// <param name="flows">How many they shall have room for. Splicing takes up to six descriptors a flow, of 20,000 a process.</param>
    /// <param name="missing">Names.</param>
    public static IReadOnlyList<Relay> All(string folder, int flows, out IReadOnlyList<string> missing)
    {
        var found = new List<Relay>
        {
            new(DirectName, null),
            Ours(OursName, "tcp"),
            Ours("keepalive gateway, tcp, portable engine", "tcp", "--engine", "portable"),
            new(LoopName, (listen, to) => Peer.Start(Environment.ProcessPath!, "loop", $"{listen}", $"{to}")),
        };
        var absent = new List<string>();
        if (Find("haproxy/usr/sbin/haproxy", "/usr/sbin/haproxy", absent, out string? haproxy))
        {
            found.Add(new("HAProxy", (listen, to) => StartHaproxy(haproxy, folder, listen, to, flows, spliced: false)));
            found.Add(new(SplicedName, (listen, to) => StartHaproxy(haproxy, folder, listen, to, flows, spliced: true)));
        }

        string module = Path.Combine(Servers, "libnginx-mod-stream/usr/lib/nginx/modules/ngx_stream_module.so");
        if (Find("nginx/usr/sbin/nginx", "/usr/sbin/nginx", absent, out string? nginx) && File.Exists(module))
            found.Add(new("nginx stream, 64 KB buffers", (listen, to) => Peer.Start(nginx, "-p", folder, "-e", "stderr", "-c", Write(folder, $"nginx-{listen}.conf", NginxConfig(module, listen, to, flows)))));
        if (Find("socat/usr/bin/socat", "/usr/bin/socat", absent, out string? socat))
            found.Add(new(ForkingName, (listen, to) => Peer.Start(socat, "-b", "65536", $"TCP-LISTEN:{listen},bind=127.0.0.1,reuseaddr,fork,backlog=1024", $"TCP:127.0.0.1:{to}")));
        if (Environment.IsPrivilegedProcess) found.Add(new(SockmapName, (listen, to) => Peer.Start(Environment.ProcessPath!, "sockmap", $"{listen}", $"{to}")));
        missing = absent;
        return found;
    }

    /// <summary>Waits until somebody accepts there.</summary>
    public static async Task ReadyAsync(int port)
    {
        using var wait = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port, wait.Token).ConfigureAwait(false);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(20, wait.Token).ConfigureAwait(false);
            }
        }
    }

    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>The relay everybody writes first: two tasks a flow, a buffer of 64 KB each.</summary>
    public static async Task<int> LoopAsync(int listen, int to)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, listen));
        listener.Listen(4096);
        while (true)
        {
            Socket client = await listener.AcceptAsync().ConfigureAwait(false);
            _ = Task.Run(async () =>
            {
                using (client)
                using (var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
                {
                    client.NoDelay = server.NoDelay = true;
                    await server.ConnectAsync(IPAddress.Loopback, to).ConfigureAwait(false);
                    await Task.WhenAll(CopyAsync(client, server), CopyAsync(server, client)).ConfigureAwait(false);
                }
            });
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            for (int read; (read = await from.ReceiveAsync(buffer).ConfigureAwait(false)) > 0;)
            {
                for (ReadOnlyMemory<byte> left = buffer.AsMemory(0, read); !left.IsEmpty;) left = left[await to.SendAsync(left).ConfigureAwait(false)..];
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            from.Dispose();
            to.Dispose();
        }
    }

    private static string HaproxyConfig(int listen, int to, int flows, bool spliced) => $"""
        global
          maxconn {flows}
          {(spliced ? "tune.pipesize 1048576" : "")}
        defaults
          mode tcp
          timeout connect 5s
          timeout client 1h
          timeout server 1h
          option tcpka
          {(spliced ? "option splice-request\n  option splice-response" : "")}
        listen l
          bind 127.0.0.1:{listen} backlog 4096
          server s 127.0.0.1:{to}

        """;

    private static string NginxConfig(string module, int listen, int to, int flows) => $$"""
        load_module {{module}};
        daemon off;
        user root;
        worker_processes auto;
        pid nginx-{{listen}}.pid;
        error_log stderr crit;
        events { worker_connections {{(2 * flows) + 100}}; }
        stream {
          server {
            listen 127.0.0.1:{{listen}} so_keepalive=on backlog=4096;
            proxy_pass 127.0.0.1:{{to}};
            proxy_buffer_size 64k;
            proxy_socket_keepalive on;
            proxy_timeout 1h;
            proxy_half_close on;
          }
        }

        """;

    private static Peer StartHaproxy(string haproxy, string folder, int listen, int to, int flows, bool spliced) =>
        Peer.Start(haproxy, "-db", "-f", Write(folder, $"haproxy-{listen}.cfg", HaproxyConfig(listen, to, flows, spliced)));

    private static bool Find(string unpacked, string installed, List<string> missing, [NotNullWhen(true)] out string? path)
    {
        path = new[] { Path.Combine(Servers, unpacked), installed }.FirstOrDefault(File.Exists);
        if (path is null) missing.Add(Path.GetFileName(installed));
        return path is not null;
    }

    private static string Write(string folder, string name, string text)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
