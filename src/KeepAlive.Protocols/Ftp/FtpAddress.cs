using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeepAlive.Protocols.Ftp;

/// <summary>
/// The data addresses in FTP: the only bytes of the two ends that are ever rewritten.
/// </summary>
/// <remarks>
/// <code>
/// 227 Entering Passive Mode (h1,h2,h3,h4,p1,p2).     RFC 959; the text around the numbers varies (RFC 1123 4.1.2.6)
/// 229 Entering Extended Passive Mode (|||port|)      RFC 2428; any delimiter 33 to 126
/// PORT h1,h2,h3,h4,p1,p2
/// EPRT |1|132.235.1.2|6275|     EPRT |2|1080::8:800:200C:417A|5282|
/// </code>
/// </remarks>
internal static class FtpAddress
{
    /// <summary>Ports below this are never a data connection's (RFC 2577 section 3).</summary>
    public const int PortMin = 1024;

    /// <summary>Finds <c>h1,h2,h3,h4,p1,p2</c> anywhere in the text.</summary>
    public static bool TryFindSix(ReadOnlySpan<byte> text, out Range where, out IPEndPoint endpoint)
    {
        Span<byte> six = stackalloc byte[6];
        for (int start = 0; start < text.Length; start++)
        {
            if (!char.IsAsciiDigit((char)text[start]) || (start > 0 && char.IsAsciiDigit((char)text[start - 1]))) continue;
            int at = start;
            int n = 0;
            for (; n < 6; n++)
            {
                if (n > 0 && (at >= text.Length || text[at++] != (byte)',')) break;
                if (!Utf8Parser.TryParse(text[at..], out six[n], out int used)) break;
                at += used;
            }

            if (n < 6) continue;
            where = start..at;
            endpoint = new IPEndPoint(new IPAddress(six[..4]), (six[4] << 8) | six[5]);
            return true;
        }

        where = default;
        endpoint = null!;
        return false;
    }

    /// <summary>Finds <c>(|||port|)</c> with any delimiter; the range is the port's digits.</summary>
    public static bool TryFindExtendedPort(ReadOnlySpan<byte> text, out Range where, out int port)
    {
        for (int open = text.IndexOf((byte)'('); open >= 0 && open + 5 < text.Length;)
        {
            byte d = text[open + 1];
            int digits = open + 4;
            if (d is >= 33 and <= 126 && !char.IsAsciiDigit((char)d) && text[open + 2] == d && text[open + 3] == d
                && Utf8Parser.TryParse(text[digits..], out ushort value, out int used)
                && digits + used < text.Length && text[digits + used] == d)
            {
                where = digits..(digits + used);
                port = value;
                return true;
            }

            int next = text[(open + 1)..].IndexOf((byte)'(');
            open = next < 0 ? -1 : open + 1 + next;
        }

        where = default;
        port = 0;
        return false;
    }

    /// <summary>Reads EPRT's <c>|family|address|port|</c>.</summary>
    public static bool TryReadExtended(ReadOnlySpan<byte> argument, out IPEndPoint endpoint)
    {
        endpoint = null!;
        string text = Encoding.ASCII.GetString(argument.Trim((byte)' '));
        if (text.Length is < 7 or > 80) return false;
        string[] parts = text.Split(text[0]);
        if (parts.Length != 5 || parts[0].Length > 0 || parts[4].Length > 0) return false;
        if (!IPAddress.TryParse(parts[2], out IPAddress? address)) return false;
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0) return false;
        if (!ushort.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)) return false;
        if (parts[1] != (address.AddressFamily == AddressFamily.InterNetwork ? "1" : "2")) return false;
        endpoint = new IPEndPoint(address, port);
        return true;
    }

    /// <summary><c>h1,h2,h3,h4,p1,p2</c>. An IPv6 address has no such form: 0,0,0,0, which makes clients dial the control peer.</summary>
    public static string Six(IPEndPoint endpoint)
    {
        IPAddress address = Plain(endpoint.Address);
        string host = address.AddressFamily == AddressFamily.InterNetwork ? address.ToString().Replace('.', ',') : "0,0,0,0";
        return string.Create(CultureInfo.InvariantCulture, $"{host},{endpoint.Port >> 8},{endpoint.Port & 0xFF}");
    }

    /// <summary>EPRT's argument.</summary>
    public static string Extended(IPEndPoint endpoint)
    {
        IPAddress address = Plain(endpoint.Address);
        int family = address.AddressFamily == AddressFamily.InterNetwork ? 1 : 2;
        return string.Create(CultureInfo.InvariantCulture, $"|{family}|{address}|{endpoint.Port}|");
    }

    public static bool IsIPv4(IPAddress address) => Plain(address).AddressFamily == AddressFamily.InterNetwork;

    // An IPv4 peer on a dual-stack socket has an address such as ::ffff:192.0.2.1.
    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
