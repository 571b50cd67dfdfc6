using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Sockets;

/// <summary>The grammar of HOST:PORT. Each fault names the value, what is allowed and what to do.</summary>
internal static class HostPortText
{
    private const string Shape = "write HOST:PORT, for IPv6 [ADDRESS]:PORT";

    private static readonly System.Buffers.SearchValues<char> NameChars =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");

    /// <summary>Splits at the colon before the port. The host is looked at only as far as that needs.</summary>
    /// <returns>What is wrong; null when nothing is.</returns>
    public static string? Split(string text, int portMin, out string host, out int port)
    {
        string trimmed = text.Trim();
        (host, port) = ("", 0);
        if (trimmed.Length == 0) return $"the address is empty: {Shape}";
        if (trimmed.Contains("://", StringComparison.Ordinal)) return $"'{trimmed}' is a URL: {Shape}";
        int bracket = trimmed.LastIndexOf(']');
        int colon = trimmed.LastIndexOf(':');
        if (colon <= bracket) return $"'{trimmed}' has no port: {Shape}";

        host = trimmed[..colon];
        if (host.StartsWith('[') && bracket == colon - 1)
        {
            host = host[1..^1];
            if (!IsV6(host)) return $"'{host}' is not an IPv6 address: only those stand in brackets; {Shape}";
        }
        else if (bracket >= 0 || host.Contains('[', StringComparison.Ordinal))
            return $"'{trimmed}' has its brackets in the wrong place: {Shape}";
        else if (host.Contains(':', StringComparison.Ordinal))
        {
            return IsV6(host)
                ? $"'{trimmed}' is ambiguous: put the IPv6 address in brackets, [{host}]:{trimmed[(colon + 1)..]}"
                : $"'{trimmed}' has more than one colon: {Shape}";
        }

        string digits = trimmed[(colon + 1)..];
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port >= portMin && port <= HostPort.PortMax
            ? null
            : PortFault(digits, portMin);
    }

    public static string PortFault(string port, int portMin) => port.Length == 0
        ? $"the port is empty: give {portMin} to {HostPort.PortMax}"
        : port == "0"
            ? $"port 0 cannot be connected to: give {portMin} to {HostPort.PortMax} (0 is for listening only, where it takes a free port)"
            : $"port '{port}' is not a port: give a number from {portMin} to {HostPort.PortMax}";

    /// <summary>What is wrong with a host by name or address; null when nothing is.</summary>
    public static string? HostFault(string host)
    {
        if (host.Length == 0) return $"the host is missing: {Shape}";
        if (host.Length > HostPort.HostCharsMax) return $"the host has {host.Length} characters: a name has at most {HostPort.HostCharsMax}";
        if (IsV6(host)) return null;
        if (host.AsSpan().ContainsAnyExcept(NameChars))
            return $"'{host}' is not a host name: letters, digits, '-', '_' and '.' are allowed; write other scripts in their xn-- form";
        // inet_aton reads 21 as 0.0.0.21 and 127.1 as 127.0.0.1: here such text is a slip, not an address.
        if (host.All(c => char.IsAsciiDigit(c) || c == '.') && !IsDottedQuad(host))
            return $"'{host}' is neither a name nor an IPv4 address: write all four numbers, such as 192.0.2.1";
        return null;
    }

    private static bool IsV6(string host) =>
        host.Contains(':', StringComparison.Ordinal)
        && IPAddress.TryParse(host, out IPAddress? a) && a.AddressFamily == AddressFamily.InterNetworkV6;

    private static bool IsDottedQuad(string host) => IPAddress.TryParse(host, out IPAddress? address) && address.ToString() == host;
}
