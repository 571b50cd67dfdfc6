using System.Globalization;
using System.Net;
using System.Text;
using KeepAlive.Core;

namespace KeepAlive.Protocols.Ftp;

/// <summary>
/// Puts the gateway's own addresses in the place of the two ends': in the client's PORT and EPRT, in the server's
/// 227 and 229. Everything around the address stays as it was written.
/// </summary>
/// <param name="data">Where those addresses come from.</param>
/// <param name="isDirect">Everything stays: the ends dial each other.</param>
internal sealed class FtpDataAddresses(IDataPaths data, bool isDirect)
{
    private const int PrefixLength = 4; // "227 "

    /// <summary>Passes PORT or EPRT on with an address of ours. False: it must not be, and nothing was sent.</summary>
    public bool TryPassCommand(ReadOnlySpan<byte> line, FtpCommand command, Verdicts verdicts)
    {
        Range where = ..;
        bool understood = command.Verb == FtpVerb.Port
            ? FtpAddress.TryFindSix(command.Argument, out where, out IPEndPoint asked)
            : FtpAddress.TryReadExtended(command.Argument, out asked);
        if (isDirect || !understood)
        {
            verdicts.Send(Leg.Upstream, line); // the server will say what is wrong with it
            return true;
        }

        IPEndPoint? ours = asked.Port < FtpAddress.PortMin || !data.IsPeer(Leg.Downstream, asked.Address)
            ? null : data.Open(Leg.Upstream, asked.Port);
        if (ours is null)
        {
            verdicts.Note(FlowEventKind.Notice, $"refused {Encoding.ASCII.GetString(command.Name)} to {asked}: data goes to the client's own address, port {FtpAddress.PortMin} or above, only", Leg.Downstream);
            return false;
        }

        line.Overlaps(command.Name, out int name);
        line.Overlaps(command.Argument, out int argument);
        bool six = command.Verb == FtpVerb.Port && FtpAddress.IsIPv4(ours.Address);
        if (six || command.Verb == FtpVerb.Eprt)
            Splice(Leg.Upstream, line, argument, where, command.Argument, six ? FtpAddress.Six(ours) : FtpAddress.Extended(ours), verdicts);
        else
            Splice(Leg.Upstream, line, name, .., line[name..(argument + command.Argument.Length)], $"EPRT {FtpAddress.Extended(ours)}", verdicts);
        return true;
    }

    /// <summary>Passes a 227 or 229 on with an address of ours.</summary>
    /// <returns>The code the client was given: 425 when there is no port for it.</returns>
    public int PassReply(int code, ReadOnlySpan<byte> reply, Verdicts verdicts)
    {
        ReadOnlySpan<byte> text = reply[PrefixLength..];
        if (!TryFindPort(code, text, out Range where, out int port) || isDirect)
        {
            verdicts.Send(Leg.Downstream, reply);
            return code;
        }

        if (port >= FtpAddress.PortMin && data.Open(Leg.Downstream, port) is { } ours)
        {
            string address = code == 227 ? FtpAddress.Six(ours) : ours.Port.ToString(CultureInfo.InvariantCulture);
            Splice(Leg.Downstream, reply, PrefixLength, where, text, address, verdicts);
            return code;
        }

        verdicts.Note(FlowEventKind.Notice, port < FtpAddress.PortMin
            ? $"no data connection: the server offers port {port}, and ports below {FtpAddress.PortMin} are refused"
            : "no data connection: no port to listen on was free here");
        verdicts.Send(Leg.Downstream, "425 Can't open data connection.\r\n"u8);
        return 425;
    }

    /// <summary>The port in the text of a 227 or 229.</summary>
    public static bool TryFindPort(int code, ReadOnlySpan<byte> text, out Range where, out int port)
    {
        if (code != 227) return FtpAddress.TryFindExtendedPort(text, out where, out port);
        bool found = FtpAddress.TryFindSix(text, out where, out IPEndPoint offered);
        port = found ? offered.Port : 0;
        return found;
    }

    // The whole with one range of a part of it, which begins at `at`, replaced.
    private static void Splice(Leg to, ReadOnlySpan<byte> whole, int at, Range where, ReadOnlySpan<byte> part, string text, Verdicts verdicts)
    {
        (int offset, int length) = where.GetOffsetAndLength(part.Length);
        verdicts.Send(to, whole[..(at + offset)]);
        verdicts.Send(to, Encoding.ASCII.GetBytes(text));
        verdicts.Send(to, whole[(at + offset + length)..]);
    }
}
