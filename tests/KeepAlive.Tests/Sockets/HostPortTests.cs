using System.Net;
using FsCheck.Fluent;
using KeepAlive.Sockets;

namespace KeepAlive.Tests.Sockets;

public sealed class HostPortTests
{
    [Theory]
    [InlineData("ftp.example.com:21", "ftp.example.com", 21)]
    [InlineData(" 192.0.2.1:65535 ", "192.0.2.1", 65535)]
    [InlineData("[2001:db8::1]:1", "2001:db8::1", 1)]
    [InlineData("[fe80::1%2]:21", "fe80::1%2", 21)]
    [InlineData("localhost:8080", "localhost", 8080)]
    [InlineData("a_b-c.:21", "a_b-c.", 21)]
    [InlineData("1and1.example:21", "1and1.example", 21)]
    public void Reads_host_and_port(string text, string host, int port)
    {
        HostPort value = HostPort.Parse(text);
        Assert.Equal((host, port), (value.Host, value.Port));
        Assert.Equal(text.Trim(), value.ToString());
        Assert.Equal(value, HostPort.Parse(value.ToString()));
    }

    [Theory]
    [InlineData("", "the address is empty")]
    [InlineData("ftp.example.com", "has no port")]
    [InlineData("[::1]", "has no port")]
    [InlineData("host:", "the port is empty: give 1 to 65535")]
    [InlineData("host:0", "0 is for listening only")]
    [InlineData("host:65536", "port '65536' is not a port")]
    [InlineData("host:-1", "port '-1' is not a port")]
    [InlineData("host:+1", "port '+1' is not a port")]
    [InlineData("host:ftp", "port 'ftp' is not a port")]
    [InlineData("host:21x", "port '21x' is not a port")]
    [InlineData(":21", "the host is missing")]
    [InlineData("::1:21", "in brackets, [::1]:21")]
    [InlineData("a:b:21", "more than one colon")]
    [InlineData("[host]:21", "is not an IPv6 address")]
    [InlineData("[192.0.2.1]:21", "is not an IPv6 address")]
    [InlineData("x[::1]:21", "brackets in the wrong place")]
    [InlineData("[::1:21", "brackets in the wrong place")]
    [InlineData("ftp://host:21", "is a URL")]
    [InlineData("ho st:21", "is not a host name")]
    [InlineData("höst:21", "xn-- form")]
    [InlineData("*:21", "is not a host name")]
    [InlineData("21:21", "write all four numbers")]
    [InlineData("127.1:21", "write all four numbers")]
    [InlineData("192.0.2.256:21", "write all four numbers")]
    [InlineData("192.0.2.01:21", "write all four numbers")]
    public void Names_what_is_wrong_and_what_to_do(string text, string fault)
    {
        Assert.False(HostPort.TryParse(text, out _, out string? found));
        Assert.Contains(fault, found, StringComparison.Ordinal);
        Assert.Equal(found, Assert.Throws<FormatException>(() => HostPort.Parse(text)).Message);
    }

    [Theory]
    [InlineData("127.0.0.1:2121", "127.0.0.1:2121")]
    [InlineData("0.0.0.0:0", "0.0.0.0:0")]
    [InlineData("[::]:0", "[::]:0")]
    [InlineData("localhost:21", "127.0.0.1:21")]
    public void Reads_where_to_listen(string text, string endPoint)
    {
        Assert.True(HostPort.TryParseListen(text, out IPEndPoint? found, out _));
        Assert.Equal(endPoint, found.ToString());
    }

    [Theory]
    [InlineData("*:21", "0.0.0.0 or [::] for all")]
    [InlineData(":21", "not an address to listen on")]
    [InlineData("ftp.example.com:21", "not an address to listen on")]
    [InlineData("1:21", "not an address to listen on")]
    [InlineData("127.0.0.1:65536", "0 to 65535")]
    public void Names_what_is_wrong_with_where_to_listen(string text, string fault)
    {
        Assert.False(HostPort.TryParseListen(text, out _, out string? found));
        Assert.Contains(fault, found, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_text_is_read_or_refused_and_never_throws() => FsCheck.Check.QuickThrowOnFailure(Prop.ForAll<string?>(text =>
    {
        bool read = HostPort.TryParse(text ?? "", out HostPort value, out string? fault);
        Assert.Equal(read, fault is null);
        if (read) Assert.Equal(value, HostPort.Parse(value.ToString()));
        Assert.Equal(HostPort.TryParseListen(text ?? "", out _, out string? listenFault), listenFault is null);
    }));

    [Fact]
    public void The_constructor_holds_the_same_line()
    {
        Assert.Throws<ArgumentException>(() => new HostPort("host", 0));
        Assert.Throws<ArgumentException>(() => new HostPort("host", 65536));
        Assert.Throws<ArgumentException>(() => new HostPort("", 1));
        Assert.Throws<ArgumentException>(() => new HostPort(new string('a', 254), 1));
    }
}
