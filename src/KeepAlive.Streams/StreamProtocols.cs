using KeepAlive.Protocols.Ftp;
using KeepAlive.Protocols.Ldap;

namespace KeepAlive.Protocols;

/// <summary>The protocols of <see cref="ProtocolList"/> as a client has them: alone with its server.</summary>
internal static class StreamProtocols
{
    public static IReadOnlyList<string> Names { get; } = [.. ProtocolList.All.Where(entry => entry.Prepare is not null).Select(entry => entry.Name)];

    public static NewProtocol? Find(string name, TimeSpan? hold) => ProtocolList.Find(name)?.Prepare?.Invoke(new ProtocolOptions
    {
        // FTP's data connections are the client's own: their addresses stay as they are.
        Ftp = new FtpOptions { IsDataDirect = true, IdleAgeMax = hold ?? FtpOptions.IdleAgeDefault },
        Ldap = hold is { } age ? new LdapOptions { IdleAgeMax = age } : new LdapOptions(),
        Hold = hold,
    });
}
