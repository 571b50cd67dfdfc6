using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace KeepAlive.Fleet.Etcd;

/// <summary>Why TLS with etcd failed, in one sentence that says what to do.</summary>
internal static class EtcdTlsFault
{
    // Names come from the other end: so much of them is told.
    private const int NamesMax = 4;

    /// <summary>A certificate that was not accepted here.</summary>
    public static string Refused(SslPolicyErrors errors, X509Certificate2? certificate, X509Chain? chain, string host, string? caFile)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)) return "it sent no certificate: look at its --cert-file";
        X509ChainStatusFlags status = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status) ?? X509ChainStatusFlags.NoError;
        if (status.HasFlag(X509ChainStatusFlags.NotTimeValid))
        {
            X509Certificate2 wrong = chain!.ChainElements.FirstOrDefault(e => e.ChainElementStatus.Any(s => s.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)))?.Certificate ?? certificate;
            return string.Create(CultureInfo.InvariantCulture,
                $"its certificate '{Name(wrong, false)}' is valid from {wrong.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} to {wrong.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC: renew its --cert-file, or set the clock");
        }

        if (status.HasFlag(X509ChainStatusFlags.UntrustedRoot) || status.HasFlag(X509ChainStatusFlags.PartialChain))
        {
            string trusted = caFile is null ? "by nobody whom this machine trusts: give its authority as CA file" : $"not by {caFile}: give the file of its authority";
            return $"its certificate is issued by '{Name(certificate, true)}', {trusted}, and have etcd send its whole chain";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return $"its certificate is for {Names(certificate)}, not for '{host}': write the endpoint by a name of the certificate, or have one issued for this name";
        return status.HasFlag(X509ChainStatusFlags.NotValidForUsage)
            ? "its certificate is not good for servers: issue it with serverAuth among its extended key usages"
            : $"its certificate is not accepted: {status}";
    }

    /// <summary>
    /// A handshake that ended in an exception, or a first read: with TLS 1.3 that is where the server says what it thinks of our certificate.
    /// Null where TLS is not what is wrong.
    /// </summary>
    public static EtcdCallException? Describe(Exception fault, EtcdOptions options)
    {
        string all = "";
        for (Exception? e = fault; e is not null; e = e.InnerException) all += e.Message + "\n";
        string? why = all switch
        {
            _ when !all.Contains("alert", StringComparison.OrdinalIgnoreCase) => null,
            _ when Has("certificate required") || Has("bad certificate") || Has("unknown ca") || Has("certificate unknown") || Has("certificate expired")
                || Has("unsupported certificate") || Has("handshake failure") => Unwanted(options),
            _ when Has("protocol version") => "the two have no version of TLS in common: here it is 1.2 or 1.3",
            _ when Has("internal error") => "it cannot shake hands: look at etcd's log, and whether it can read its --cert-file and --key-file",
            _ => null,
        };
        if (why is not null) return new EtcdCallException(EtcdFault.Certificate, CallOutcome.NotDone, why, fault);
        // Not TLS at all: what comes has no frame of it (.NET's words), or another version's (OpenSSL's).
        if (fault is AuthenticationException && (Has("frame") || Has("wrong version number") || Has("packet length")))
            return new EtcdCallException(EtcdFault.NotEtcd, CallOutcome.NotDone, "no TLS is spoken there: write http:// in place of https://, or have etcd listen with --cert-file and --key-file", fault);
        return fault is AuthenticationException ? new EtcdCallException(EtcdFault.Certificate, CallOutcome.NotDone, $"TLS failed: {EtcdRefusal.Clean(Innermost(fault))}", fault) : null;

        bool Has(string part) => all.Contains(part, StringComparison.OrdinalIgnoreCase);
    }

    // Servers do not say much more than that they do not want it: what can be seen from here is said.
    private static string Unwanted(EtcdOptions options)
    {
        if (options.CertificateFile is not { } file) return "it asks for a client certificate (--client-cert-auth): give one, and its key, issued by an authority in its --trusted-ca-file";
        try
        {
            using X509Certificate2 own = X509Certificate2.CreateFromPem(File.ReadAllText(file));
            if (own.NotAfter < DateTime.Now || own.NotBefore > DateTime.Now)
                return string.Create(CultureInfo.InvariantCulture, $"it does not take our certificate: {file} is valid from {own.NotBefore.ToUniversalTime():yyyy-MM-dd} to {own.NotAfter.ToUniversalTime():yyyy-MM-dd} UTC: renew it");
            if (own.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault() is { } usage && !usage.EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>().Any(o => o.Value == "1.3.6.1.5.5.7.3.2"))
                return $"it does not take our certificate: {file} is not good for clients: issue it with clientAuth among its extended key usages";
            return $"it does not take our certificate: {file} is issued by '{Name(own, true)}': give one issued by an authority in its --trusted-ca-file, with the whole chain in the file";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            return $"it does not take our certificate, {file}";
        }
    }

    private static string Innermost(Exception fault) => fault.InnerException is { } inner ? Innermost(inner) : fault.Message;

    private static string Name(X509Certificate2 certificate, bool isIssuer) => EtcdRefusal.Clean(certificate.GetNameInfo(X509NameType.SimpleName, isIssuer));

    private static string Names(X509Certificate2 certificate)
    {
        X509SubjectAlternativeNameExtension? extension = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        string[] all = [.. extension?.EnumerateDnsNames() ?? [], .. extension?.EnumerateIPAddresses().Select(address => address.ToString()) ?? []];
        if (all.Length == 0) return $"'{Name(certificate, false)}', without any host's name";
        return string.Join(", ", all.Take(NamesMax).Select(name => $"'{EtcdRefusal.Clean(name)}'")) + (all.Length > NamesMax ? $" and {all.Length - NamesMax} more" : "");
    }
}
