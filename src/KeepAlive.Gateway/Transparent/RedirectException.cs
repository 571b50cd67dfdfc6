using System.Globalization;

namespace KeepAlive.Gateway.Transparent;

/// <summary>Connections cannot be redirected on this machine, or not so. The message says why, and what to do.</summary>
internal sealed class RedirectException : Exception
{
    private const int EPERM = 1;

    internal RedirectException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }

    /// <exception cref="RedirectException">Not Linux, or no CAP_NET_ADMIN.</exception>
    internal static void ThrowIfImpossible()
    {
        if (!OperatingSystem.IsLinux()) throw new RedirectException("connections are redirected by nftables, which Linux alone has: elsewhere give --listen and --to, and let the programs dial the gateway");
        if (OwnMark.Try() is not 0 and var errno)
        {
            throw new RedirectException(string.Create(CultureInfo.InvariantCulture, $"setsockopt(SO_MARK): {(errno == EPERM ? "EPERM" : $"errno {errno}")}: ")
                + "redirecting connections needs root, or CAP_NET_ADMIN (ambient, so that nft has it too): start it with sudo");
        }
    }
}
