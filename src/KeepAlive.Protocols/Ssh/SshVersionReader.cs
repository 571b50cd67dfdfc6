using System.Text;

namespace KeepAlive.Protocols.Ssh;

/// <summary>
/// Reads the line that says which version the peer speaks (RFC 4253 section 4.2). Before it a server may send other lines; a client may not.
/// </summary>
internal sealed class SshVersionReader(SshRole role)
{
    // RFC 4253 section 4.2: 255 characters with CR LF; a server's other lines are its own affair, within reason.
    private const int LineBytesMax = 255;
    private const int OtherLineBytesMax = 1024;
    private const int OtherLinesMax = 64;

    private readonly List<byte> _line = [];
    private int _others;

    /// <summary>The line without its end, once it is here: it goes into the hash of each exchange.</summary>
    public byte[]? Version { get; private set; }

    public SshFault? Read(ref ReadOnlySpan<byte> bytes)
    {
        while (Version is null && !bytes.IsEmpty)
        {
            byte next = bytes[0];
            bytes = bytes[1..];
            if (next != '\n')
            {
                _line.Add(next);
                if (_line.Count > (IsVersion ? LineBytesMax : OtherLineBytesMax) || (role == SshRole.Server && _line.Count == 4 && !IsVersion))
                    return new SshFault(SshReason.VersionNotSupported, $"no version of SSH: '{Shown}'");
                continue;
            }

            if (EndLine() is { } fault) return fault;
        }

        return null;
    }

    private bool IsVersion => _line.Count >= 4 && _line[0] == 'S' && _line[1] == 'S' && _line[2] == 'H' && _line[3] == '-';

    private string Shown => SshText.Printable(Encoding.Latin1.GetString([.. _line.Take(40)]));

    private SshFault? EndLine()
    {
        if (_line.Count > 0 && _line[^1] == '\r') _line.RemoveAt(_line.Count - 1);
        string text = Encoding.Latin1.GetString([.. _line]);
        if (!IsVersion)
        {
            if (role == SshRole.Server || ++_others > OtherLinesMax) return new SshFault(SshReason.VersionNotSupported, $"no version of SSH: '{Shown}'");
            _line.Clear();
            return null;
        }

        // 1.99 is a server's that speaks version 1 as well (RFC 4253 section 5.1).
        if (!text.StartsWith("SSH-2.0-", StringComparison.Ordinal) && !(role == SshRole.Client && text.StartsWith("SSH-1.99-", StringComparison.Ordinal)))
            return new SshFault(SshReason.VersionNotSupported, $"'{Shown}': only version 2.0 is spoken here");
        Version = [.. _line];
        return null;
    }
}
