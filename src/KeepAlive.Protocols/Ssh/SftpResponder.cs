using System.Buffers.Binary;
using System.Text;

namespace KeepAlive.Protocols.Ssh;

/// <summary>
/// As much of SFTP's version 3 (draft-ietf-secsh-filexfer-02) as a client needs to sit at its prompt: there is one folder, "/", which is empty.
/// </summary>
/// <remarks>
/// <code>
///   +--------+------+-----------------+---------
///   | length | type | request id      | fields        (INIT and VERSION: the version in place of the id)
///   +--------+------+-----------------+---------
///     uint32   byte   uint32
/// </code>
/// </remarks>
internal sealed class SftpResponder
{
    private const int LengthBytes = 4;

    // Requests have a path or two; what a client would write travels in longer ones, and is not taken.
    private const int RequestBytesMax = 34_000;

    private const byte Init = 1, VersionReply = 2, Close = 4, LStat = 7, OpenFolder = 11, ReadFolder = 12, RealPath = 16, Stat = 17;
    private const byte Status = 101, HandleReply = 102, NameReply = 104, Attributes = 105;
    private const uint Done = 0, EndOfFile = 1, Unsupported = 8, Version = 3, HasPermissions = 4, Folder = 0x41ED; // drwxr-xr-x

    private readonly List<byte> _request = [];

    /// <summary>Bytes from the client; false when they are no SFTP.</summary>
    public bool TryReceive(ReadOnlySpan<byte> bytes, SshWriter answers)
    {
        while (!bytes.IsEmpty)
        {
            int need = _request.Count < LengthBytes ? LengthBytes : LengthBytes + Length;
            int take = Math.Min(need - _request.Count, bytes.Length);
            _request.AddRange(bytes[..take]);
            bytes = bytes[take..];
            if (_request.Count < LengthBytes) continue;
            if (Length is < 5 or > RequestBytesMax) return false;
            if (_request.Count < LengthBytes + Length) continue;
            Answer([.. _request], answers);
            _request.Clear();
            _request.TrimExcess();
        }

        return true;
    }

    private int Length => (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian([.. _request[..LengthBytes]]), RequestBytesMax + 1);

    private static void Answer(byte[] request, SshWriter answers)
    {
        var reader = new SshReader(request.AsSpan(LengthBytes));
        byte type = reader.Byte();
        SshWriter answer = new();
        if (type == Init)
        {
            answers.Text(answer.Byte(VersionReply).Number(Version).Bytes);
            return;
        }

        uint id = reader.Number();
        string path = Encoding.UTF8.GetString(reader.Text());
        if (type == RealPath && IsRoot(path)) answer.Byte(NameReply).Number(id).Number(1).Text("/").Text("/").Number(0);
        else if (type is Stat or LStat && IsRoot(path)) answer.Byte(Attributes).Number(id).Number(HasPermissions).Number(Folder);
        else if (type == OpenFolder && IsRoot(path)) answer.Byte(HandleReply).Number(id).Text("/");
        else answer.Byte(Status).Number(id).Number(type switch { ReadFolder => EndOfFile, Close => Done, _ => Unsupported }).Text("nothing is stored here").Text("");
        answers.Text(answer.Bytes);
    }

    private static bool IsRoot(string path) => path is "" or "." or "/" or "/.";
}
