using System.Buffers.Binary;
using System.Text;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Ldap;

/// <summary>Operations by their tag (RFC 4511 appendix B).</summary>
internal enum LdapOperation : byte
{
    BindRequest = 0x60,
    BindResponse = 0x61,
    UnbindRequest = 0x42,
    SearchDone = 0x65,
    ExtendedRequest = 0x77,
    ExtendedResponse = 0x78,
    IntermediateResponse = 0x79,
    SearchEntry = 0x64,
    SearchReference = 0x73,
}

/// <summary>The head of an LDAPMessage.</summary>
internal readonly ref struct LdapMessage
{
    //  30 length | 02 length message ID | operation length | what it is about | A0 controls
    private const byte Sequence = 0x30;
    private const byte Integer = 0x02;
    private const byte Enumerated = 0x0A;
    private const byte OctetString = 0x04;
    private const byte SaslChoice = 0xA3;
    private const byte ExtendedName = 0x80;

    // Binds, StartTLS and what answers operations are looked into where they are not longer than this; Kerberos tickets are.
    private const int WholeBytesMax = 1024;

    private static readonly byte[] StartTlsName = Encoding.ASCII.GetBytes("1.3.6.1.4.1.1466.20037"); // RFC 4511 section 4.14

    private readonly ReadOnlySpan<byte> _body;

    /// <summary>One that was measured.</summary>
    public LdapMessage(ReadOnlySpan<byte> start)
    {
        _ = Ber.TryReadHeader(ref start, out _, out _);
        _ = Ber.TryReadNumber(ref start, Integer, out int id);
        _ = Ber.TryReadHeader(ref start, out byte tag, out long length);
        (Id, Operation) = (id, (LdapOperation)tag);
        _body = start[..(int)Math.Min(length, start.Length)];
    }

    /// <summary>0 for what a server says unasked.</summary>
    public int Id { get; }

    public LdapOperation Operation { get; }

    /// <summary>The code of a response; null where it is not understood.</summary>
    public int? ResultCode
    {
        get
        {
            ReadOnlySpan<byte> body = _body;
            return Ber.TryReadNumber(ref body, Enumerated, out int code) ? code : null;
        }
    }

    /// <summary>Whether an extended request is StartTLS.</summary>
    public bool IsStartTls
    {
        get
        {
            ReadOnlySpan<byte> body = _body;
            return Operation == LdapOperation.ExtendedRequest && Ber.TryRead(ref body, ExtendedName, out ReadOnlySpan<byte> name) && name.SequenceEqual(StartTlsName);
        }
    }

    /// <summary>Whether a bind, once accepted, may put a security layer around all that follows: what was agreed on is inside its tokens.</summary>
    public bool MayAddLayer
    {
        get
        {
            ReadOnlySpan<byte> body = _body;
            if (!Ber.TryReadNumber(ref body, Integer, out _) || !Ber.TryRead(ref body, OctetString, out _)) return true;
            if (body is not [SaslChoice, ..]) return false; // a password
            if (!Ber.TryRead(ref body, SaslChoice, out ReadOnlySpan<byte> sasl) || !Ber.TryRead(ref sasl, OctetString, out ReadOnlySpan<byte> mechanism)) return true;
            string name = Encoding.ASCII.GetString(mechanism);
            return !(name is "EXTERNAL" or "PLAIN" or "ANONYMOUS" or "OAUTHBEARER" or "CRAM-MD5" || name.StartsWith("SCRAM-", StringComparison.Ordinal));
        }
    }

    /// <summary>How long a message is.</summary>
    public static FrameMeasure Measure(ReadOnlySpan<byte> start)
    {
        if (start[0] != Sequence) return FrameMeasure.Doubtful(start[0] == Tls.Handshake ? Tls.Why : "not LDAP, or encrypted from here: kernel keepalive only");
        ReadOnlySpan<byte> bytes = start;
        if (!Ber.TryReadHeader(ref bytes, out _, out long length)) return FrameMeasure.NeedsMore;
        if (length < 0) return FrameMeasure.Doubtful("a length that LDAP does not allow: not understood any more");
        long whole = start.Length - bytes.Length + length;
        ReadOnlySpan<byte> inside = bytes[..(int)Math.Min(length, bytes.Length)];
        if (!Ber.TryReadNumber(ref inside, Integer, out _) || !Ber.TryReadHeader(ref inside, out byte tag, out long operation))
        {
            // Six bytes of a number, six of an operation's header, at most.
            return bytes.Length < Math.Min(length, 12) ? FrameMeasure.NeedsMore : FrameMeasure.Doubtful("not LDAP: not understood any more");
        }

        if (operation < 0) return FrameMeasure.Doubtful("a length that LDAP does not allow: not understood any more");
        bool isOfInterest = (LdapOperation)tag is LdapOperation.BindRequest or LdapOperation.BindResponse or LdapOperation.ExtendedRequest or LdapOperation.ExtendedResponse or LdapOperation.SearchDone;
        return isOfInterest && whole <= WholeBytesMax ? FrameMeasure.Whole(whole) : FrameMeasure.Of(whole);
    }

    /// <summary>Abandon of something that never was: servers discard it without a word (RFC 4511 section 4.11).</summary>
    public static byte[] Abandon(int id, int target)
    {
        byte[] bytes = [Sequence, 12, Integer, 4, 0, 0, 0, 0, 0x50, 4, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), id);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(10), target);
        return bytes;
    }

    /// <summary>A search of the root entry for no attributes at all ("1.1", RFC 4511 section 4.5.1.8): every server answers it.</summary>
    public static byte[] RootSearch(int id)
    {
        byte[] bytes =
        [
            Sequence, 45, Integer, 4, 0, 0, 0, 0, 0x63, 37,
            OctetString, 0, Enumerated, 1, 0, Enumerated, 1, 0, Integer, 1, 0, Integer, 1, 0, 1, 1, 0, // the root, itself, no aliases, no limits, with values
            0x87, 11, .. "objectClass"u8, Sequence, 5, OctetString, 3, .. "1.1"u8,
        ];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), id);
        return bytes;
    }
}
