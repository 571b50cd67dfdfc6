using System.Net;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Diag;

/// <summary>Whose the two ends of a TCP connection within this network namespace are: so that a server knows who on this machine asks it.</summary>
/// <param name="Here">The user (uid) of the socket at one end; null where there is none.</param>
/// <param name="There">That of the other.</param>
internal readonly record struct SocketUser(uint? Here, uint? There)
{
    /// <summary>The users of both, as the kernel tells them.</summary>
    /// <param name="here">One end.</param>
    /// <param name="there">The other.</param>
    public static SocketUser Of(IPEndPoint here, IPEndPoint there)
    {
        ArgumentNullException.ThrowIfNull(here);
        ArgumentNullException.ThrowIfNull(there);
        (IPEndPoint near, IPEndPoint far) = (Plain(here), Plain(there));
        try
        {
            SocketUser users = default;
            foreach (SocketRow row in InetDiag.Dump(TcpStates.Lasting))
            {
                if (row.Local.Equals(near) && row.Remote.Equals(far)) users = users with { Here = row.Uid };
                if (row.Local.Equals(far) && row.Remote.Equals(near)) users = users with { There = row.Uid };
            }

            return users;
        }
        catch (SyscallException)
        {
            return default;
        }
    }

    private static IPEndPoint Plain(IPEndPoint end) => end.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(end.Address.MapToIPv4(), end.Port) : new IPEndPoint(end.Address, end.Port);
}
