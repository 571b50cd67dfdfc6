using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace KeepAlive.App.Web;

/// <summary>Where the page is, and who may come to it.</summary>
internal sealed record WebOptions
{
    /// <summary>Where it is where nothing is said.</summary>
    public static readonly IPEndPoint DefaultListen = new(IPAddress.Loopback, 7200);

    /// <summary>Where it listens; null: there is no page.</summary>
    public IPEndPoint? Listen { get; init; } = DefaultListen;

    /// <summary>Whether somebody said where: then it has to be there.</summary>
    public bool IsAsked { get; init; }

    /// <summary>Names that it may be called by, beside those of loopback.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>With its key: then it speaks TLS.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Those that come with it and lead to its authority.</summary>
    public X509Certificate2Collection? Chain { get; init; }

    /// <summary>Whose clients' certificates are good; null: they are not asked for any.</summary>
    public X509Certificate2Collection? ClientAuthorities { get; init; }

    /// <summary>The secret that opens it; null: there is none.</summary>
    public byte[]? Token { get; init; }

    /// <summary>All that it was made of: another text is another page.</summary>
    public string Fingerprint { get; init; } = "";

    /// <summary>Whether others than this machine can reach it.</summary>
    public bool IsRemote => Listen is { } listen && !IPAddress.IsLoopback(listen.Address);
}

/// <summary>Where the page is to be.</summary>
/// <param name="Listen">Null: nowhere.</param>
internal sealed record WebAddress(IPEndPoint? Listen);
