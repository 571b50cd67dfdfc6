using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Linux;

/// <summary>
/// Two programs that know nothing of keepalive: Python, and C linked statically. Each connects, is answered, stays
/// silent for so many seconds, speaks again, and prints <c>kept</c> with the options its socket has, or <c>lost</c>.
/// </summary>
internal static class Clients
{
    private const string PythonSource = """
        import socket, sys, time
        s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
        s.sendall(b"a"); s.recv(1)
        print("port", s.getsockname()[1], flush=True)
        time.sleep(int(sys.argv[3])); s.settimeout(6)
        try:
            s.sendall(b"b")
            said = "kept" if s.recv(1) == b"b" else "lost"
        except OSError:
            said = "lost"
        print(said, *(s.getsockopt(level, name) for level, name in ((1, 9), (6, 4), (6, 6), (6, 5), (6, 18))), flush=True)
        """;

    private const string CSource = """
        #include <arpa/inet.h>
        #include <netinet/in.h>
        #include <netinet/tcp.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <sys/socket.h>
        #include <sys/time.h>
        #include <unistd.h>
        static int get(int s, int level, int name) { int v = -1; socklen_t n = sizeof v; getsockopt(s, level, name, &v, &n); return v; }
        int main(int argc, char **argv) {
            struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[2])) }, own;
            socklen_t n = sizeof own; char c; struct timeval patience = { 6, 0 };
            inet_pton(AF_INET, argv[1], &to.sin_addr);
            int s = socket(AF_INET, SOCK_STREAM, 0);
            if (argc < 4 || connect(s, (void *)&to, sizeof to) || send(s, "a", 1, 0) != 1 || recv(s, &c, 1, 0) != 1) return 1;
            getsockname(s, (void *)&own, &n);
            printf("port %d\n", ntohs(own.sin_port)); fflush(stdout);
            sleep(atoi(argv[3]));
            setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
            int kept = send(s, "b", 1, MSG_NOSIGNAL) == 1 && recv(s, &c, 1, 0) == 1;
            printf("%s %d %d %d %d %d\n", kept ? "kept" : "lost", get(s, SOL_SOCKET, SO_KEEPALIVE), get(s, IPPROTO_TCP, TCP_KEEPIDLE),
                get(s, IPPROTO_TCP, TCP_KEEPCNT), get(s, IPPROTO_TCP, TCP_KEEPINTVL), get(s, IPPROTO_TCP, TCP_USER_TIMEOUT));
            return 0;
        }
        """;

    // 32 bit, without a library: connects, and waits 20 s at most for the idle and interval of 3:3:2; exits with 32 then.
    private const string Source32 = """
        static int call(int n, int a, int b, int c, int d, int e) {
            int r;
            __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
            return r;
        }
        static int option(int s, int name) { int v = -1, n = 4; call(365, s, 6, name, (int)&v, (int)&n); return v; }
        void _start(void) {
            unsigned char to[16] = { 2, 0, PORT >> 8, PORT & 255, 127, 0, 0, 1 };
            int tick[2] = { 0, 50000000 }, s = call(359, 2, 1, 0, 0, 0), tries = 400;
            if (call(362, s, (int)to, 16, 0, 0) != 0) call(1, 99, 0, 0, 0, 0);
            while (option(s, 4) != 3 && tries-- > 0) call(162, (int)tick, 0, 0, 0, 0);
            call(1, option(s, 4) * 10 + option(s, 5), 0, 0, 0, 0);
        }
        """;

    // By env: it passes over an interpreter in a home that is closed to others.
    public static IReadOnlyList<string> Python(string host, int port, int silence) => ["/usr/bin/env", "python3", "-c", PythonSource, host, $"{port}", $"{silence}"];

    /// <summary>Builds the 32-bit one, for a port of the loopback.</summary>
    public static async Task<string> Build32Async(WorkFolder work, int port)
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs x86-64: 32-bit x86 programs");
        Requires.Programs("gcc");
        string program = Path.Combine(work.Folder("32"), "client");
        await ChildProcess.RunAsync(["gcc", "-m32", $"-DPORT={port}", "-nostdlib", "-static", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "-O1", "-o", program, "-x", "c", "-"], Source32);
        return program;
    }

    /// <summary>The server of all of them: what is said to it it says again.</summary>
    public static async Task EchoAsync(Socket listener)
    {
        while (true)
        {
            Socket accepted = await listener.AcceptAsync();
            _ = Task.Run(async () =>
            {
                byte[] one = new byte[1];
                while (await accepted.ReceiveAsync(one) > 0) await accepted.SendAsync(one);
            });
        }
    }

    /// <summary>Builds the C one into the folder, once.</summary>
    public static async Task<string> BuildStaticAsync(WorkFolder work)
    {
        Requires.Programs("gcc");
        string program = Path.Combine(work.Folder("static"), "client");
        await ChildProcess.RunAsync(["gcc", "-static", "-O1", "-o", program, "-x", "c", "-"], CSource);
        File.SetUnixFileMode(program, Leftovers.OpenFolder);
        return program;
    }
}
