using KeepAlive.SystemTests.Lab;

namespace KeepAlive.BrowserTests.Browser;

/// <summary>A Python program that holds connections, and does nothing more once it has said <c>ready</c>.</summary>
internal static class Python
{
    /// <summary>An FTP session: arguments are port, user and password.</summary>
    public const string FtpSession = """
        import ftplib, signal, sys
        session = ftplib.FTP(); session.connect("127.0.0.1", int(sys.argv[1])); session.login(sys.argv[2], sys.argv[3])
        print("ready", flush=True); signal.pause()
        """;

    /// <summary>A process that calls itself otherwise, with as many connections to itself: arguments are the name, how many, how many seconds of idle (0: keepalive off).</summary>
    public const string Named = """
        import signal, socket, sys
        open("/proc/self/comm", "w").write(sys.argv[1])
        listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen(64)
        kept = []
        for i in range(int(sys.argv[2])):
            near = socket.create_connection(listener.getsockname()); far, _ = listener.accept(); kept += [near, far]
            if int(sys.argv[3]): near.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1); near.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, int(sys.argv[3]))
        print("ready", flush=True); signal.pause()
        """;

    public static async Task<ChildProcess> StartAsync(NetworkSpace? inside, string source, params string[] arguments)
    {
        Requires.Programs("python3");
        string[] command = ["/usr/bin/env", "python3", "-c", source, .. arguments];
        ChildProcess process = inside is null ? await ChildProcess.StartAsync(command) : await inside.StartAsync(command);
        await process.WaitForLineAsync(line => line == "ready", Patience.Time);
        return process;
    }
}
