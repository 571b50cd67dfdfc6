using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace KeepAlive.Gateway.Tls;

/// <summary>Why a handshake failed, in one sentence that says what to do.</summary>
internal static class TlsFault
{
    private const byte Alert = 0x15;
    private const byte Handshake = 0x16;

    // Names come from the other end: so much of them is told.
    private const int NamesMax = 4;
    private const int NameCharsMax = 80;

    /// <summary>A handshake that ended in an exception.</summary>
    /// <param name="fault">The exception.</param>
    /// <param name="first">The first byte that came.</param>
    /// <param name="hasEnded">Whether the end of the socket was read.</param>
    public static string Describe(Exception fault, byte? first, bool hasEnded)
    {
        if (first is { } byte_ && byte_ is not (Alert or Handshake)) return "what came is not TLS: is it the right port?";
        Exception innermost = fault;
        while (innermost.InnerException is { } inner) innermost = inner;
        // "error:0A000418:SSL routines::tlsv1 alert unknown ca": OpenSSL's own words, the same in every build.
        string reason = innermost.Message[(innermost.Message.LastIndexOf("::", StringComparison.Ordinal) is var at and >= 0 ? at + 2 : 0)..].Trim();
        return reason switch
        {
            _ when reason.Contains("unknown ca", StringComparison.Ordinal) || reason.Contains("certificate unknown", StringComparison.Ordinal)
                || reason.Contains("bad certificate", StringComparison.Ordinal) => $"the other end does not trust our certificate ({reason}): give it the root of ours, and send the whole chain",
            _ when reason.Contains("protocol version", StringComparison.Ordinal) || reason.Contains("unsupported protocol", StringComparison.Ordinal)
                => $"the two have no version of TLS in common ({reason}): here it is 1.2 or 1.3",
            _ when reason.Contains("no shared cipher", StringComparison.Ordinal) || reason.Contains("handshake failure", StringComparison.Ordinal)
                => $"the two agree on no cipher, or a client certificate is asked for, which is not to be had here ({reason})",
            _ when innermost is System.Net.Sockets.SocketException socket => RelayFailure.Describe(socket.SocketErrorCode),
            _ when first is null || hasEnded => "the other end closed the connection in the middle of it",
            _ => $"what came is not as TLS has to be ({reason})",
        };
    }

    /// <summary>A certificate that was not accepted.</summary>
    public static string Describe(SslPolicyErrors errors, X509Certificate2? certificate, X509Chain? chain, string name)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)) return "the server sent no certificate";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return $"its certificate is for {Names(certificate)}, not for '{name}': give the server by that name, or the name alone with --tls-name";
        X509ChainStatusFlags status = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status) ?? X509ChainStatusFlags.NoError;
        if (status.HasFlag(X509ChainStatusFlags.NotTimeValid))
        {
            X509Certificate2 wrong = chain!.ChainElements.FirstOrDefault(e => e.ChainElementStatus.Any(s => s.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)))?.Certificate ?? certificate;
            return string.Create(CultureInfo.InvariantCulture,
                $"the certificate of '{Cut(wrong.GetNameInfo(X509NameType.SimpleName, false))}' is valid from {wrong.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} to {wrong.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC: have it renewed, or set the clock");
        }

        if (status.HasFlag(X509ChainStatusFlags.UntrustedRoot) || status.HasFlag(X509ChainStatusFlags.PartialChain))
            return $"nobody trusted here has issued its certificate (issuer '{Cut(certificate.GetNameInfo(X509NameType.SimpleName, true))}'): give its root with --ca, and have the server send its whole chain";
        return $"its certificate is not accepted: {status}";
    }

    private static string Names(X509Certificate2 certificate)
    {
        X509SubjectAlternativeNameExtension? extension = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        string[] all = [.. extension?.EnumerateDnsNames() ?? [], .. extension?.EnumerateIPAddresses().Select(address => address.ToString()) ?? []];
        if (all.Length == 0) return $"'{Cut(certificate.GetNameInfo(X509NameType.SimpleName, false))}', without any host's name";
        return string.Join(", ", all.Take(NamesMax).Select(name => $"'{Cut(name)}'")) + (all.Length > NamesMax ? $" and {all.Length - NamesMax} more" : "");
    }

    private static string Cut(string name) => name.Length <= NameCharsMax ? name : name[..NameCharsMax] + "...";
}
