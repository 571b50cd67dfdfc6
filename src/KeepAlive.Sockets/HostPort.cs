using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Sockets;

/// <summary>Where to connect to: a host, by name or address, and a TCP port.</summary>
/// <remarks>Text: <c>ftp.example.com:21</c>, <c>192.0.2.1:21</c>, <c>[2001:db8::1]:21</c>. Port 0 has a meaning for
/// listening only, which <see cref="TryParseListen"/> reads.</remarks>
internal readonly record struct HostPort
{
    /// <summary>Greatest TCP port; the least to connect to is 1 (RFC 9293).</summary>
    public const int PortMax = 65535;

    /// <summary>Longest name: 253 characters, the text form of 255 octets (RFC 1035 section 2.3.4).</summary>
    public const int HostCharsMax = 253;

    private readonly string? _host;

    /// <summary>A host and a port.</summary>
    /// <param name="host">A name, or an address without brackets.</param>
    /// <param name="port">1 to <see cref="PortMax"/>.</param>
    /// <exception cref="ArgumentException">The host or the port is not valid; the message says why.</exception>
    public HostPort(string host, int port)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (HostPortText.HostFault(host) is { } bad) throw new ArgumentException(bad, nameof(host));
        if (port is < 1 or > PortMax)
            throw new ArgumentException(HostPortText.PortFault(port.ToString(CultureInfo.InvariantCulture), portMin: 1), nameof(port));
        (_host, Port) = (host, port);
    }

    /// <summary>The name or the address, without brackets.</summary>
    public string Host => _host ?? "";

    /// <summary>1 to <see cref="PortMax"/>; 0 only in <c>default</c>.</summary>
    public int Port { get; }

    /// <summary>The host as an address; null when it is a name.</summary>
    public IPAddress? Address => IPAddress.TryParse(Host, out IPAddress? address) ? address : null;

    /// <summary>The meaning of the text.</summary>
    /// <exception cref="FormatException">The text is not HOST:PORT; the message names the value, what is allowed and what to do.</exception>
    public static HostPort Parse(string text) =>
        TryParse(text, out HostPort value, out string? fault) ? value : throw new FormatException(fault);

    /// <summary>The meaning of the text, or what is wrong with it.</summary>
    /// <param name="text"><c>HOST:PORT</c> or <c>[IPV6]:PORT</c>, port 1 to <see cref="PortMax"/>.</param>
    /// <param name="value">The host and port.</param>
    /// <param name="fault">One line: the value, what is allowed, what to do.</param>
    public static bool TryParse(string text, out HostPort value, [NotNullWhen(false)] out string? fault)
    {
        value = default;
        fault = HostPortText.Split(text, portMin: 1, out string host, out int port) ?? HostPortText.HostFault(host);
        if (fault is null) value = new HostPort(host, port);
        return fault is null;
    }

    /// <summary>Where to listen, or what is wrong with the text.</summary>
    /// <param name="text"><c>A:PORT</c> with an address of this machine (<c>0.0.0.0</c> and <c>[::]</c> for all of them) or
    /// <c>localhost</c>, which is 127.0.0.1; port 0 takes a free one.</param>
    /// <param name="endPoint">What to bind.</param>
    /// <param name="fault">One line: the value, what is allowed, what to do.</param>
    public static bool TryParseListen(string text, [NotNullWhen(true)] out IPEndPoint? endPoint, [NotNullWhen(false)] out string? fault)
    {
        endPoint = null;
        fault = HostPortText.Split(text, portMin: 0, out string host, out int port);
        if (fault is not null) return false;
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            endPoint = new IPEndPoint(IPAddress.Loopback, port);
        else if (HostPortText.HostFault(host) is null && IPAddress.TryParse(host, out IPAddress? address))
            endPoint = new IPEndPoint(address, port);
        else
            fault = $"'{host}' is not an address to listen on: give one of this machine, 0.0.0.0 or [::] for all, or localhost";
        return fault is null;
    }

    /// <summary>The text, an IPv6 address in brackets; <see cref="Parse"/> reads it back.</summary>
    public override string ToString() => Address?.AddressFamily == AddressFamily.InterNetworkV6
        ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}
