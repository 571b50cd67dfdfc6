using System.Reflection;
using KeepAlive.Core;
using KeepAlive.Hosting;
using KeepAlive.Protocols;
using KeepAlive.Sockets;
using KeepAlive.Tests.Tidy;

namespace KeepAlive.Tests.Programs;

/// <summary>What is public is what was decided to be.</summary>
public sealed class PublicSurfaceTests
{
    private static readonly string Promised = Path.Combine(SourceTree.Root, "eng", "public-surface.txt");

    [Fact]
    public void Nothing_is_public_that_was_not_promised_and_nothing_promised_is_gone()
    {
        string[] now = [.. PublicSurface.Of([typeof(Instant).Assembly, typeof(KernelKeepAlive).Assembly, typeof(KeepAliveClock).Assembly, typeof(KestrelKeepAlive).Assembly, typeof(KeepAliveStream).Assembly])];
        string[] promised = File.Exists(Promised) ? File.ReadAllLines(Promised) : [];
        string[] more = [.. now.Except(promised).Select(line => "+ " + line)], gone = [.. promised.Except(now).Select(line => "- " + line)];
        if (now.SequenceEqual(promised)) return;
        string written = Path.Combine(SourceTree.Root, "artifacts", "public-surface.txt");
        File.WriteAllLines(written, now);
        Assert.Fail($"the public surface has changed: if it was meant to, copy {written} to eng/public-surface.txt\n{string.Join('\n', [.. gone, .. more])}");
    }

    [Theory]
    [InlineData("KeepAlive.Protocols")]
    [InlineData("KeepAlive.Gateway")]
    [InlineData("KeepAlive.Linux")]
    [InlineData("KeepAlive.Paths")]
    public void Rooms_that_are_no_package_promise_nothing(string room) =>
        Assert.Empty(Assembly.Load(room).GetExportedTypes().Where(type => !type.IsEnum).Select(type => type.FullName));
}
