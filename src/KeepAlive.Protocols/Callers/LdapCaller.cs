using System.Text;
using KeepAlive.Protocols.Framing;
using KeepAlive.Protocols.Ldap;

namespace KeepAlive.Protocols.Callers;

/// <summary>Binds to LDAP (RFC 4511 section 4.2) where somebody is named, and searches the root entry otherwise: its result opens the call.</summary>
internal sealed class LdapCaller(CallDetails call) : FrameCaller
{
    private const byte Sequence = 0x30;
    private const byte Integer = 0x02;
    private const byte OctetString = 0x04;
    private const byte SimpleChoice = 0x80;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye { get; } = new byte[] { Sequence, 5, Integer, 1, 2, (byte)LdapOperation.UnbindRequest, 0 };

    /// <inheritdoc/>
    public override void Begin()
    {
        if (call.User is null)
        {
            Say(LdapMessage.RootSearch(1));
            return;
        }

        byte[] bind = [Integer, 1, 3, .. Element(OctetString, Encoding.UTF8.GetBytes(call.User)), .. Element(SimpleChoice, Encoding.UTF8.GetBytes(call.Password ?? ""))];
        Say(Element(Sequence, [Integer, 1, 1, .. Element((byte)LdapOperation.BindRequest, bind)]));
    }

    /// <inheritdoc/>
    protected override FrameMeasure Measure(ReadOnlySpan<byte> start) => LdapMessage.Measure(start);

    /// <inheritdoc/>
    protected override void OnFrame(ReadOnlySpan<byte> frame)
    {
        if (State != CallState.Opening) return;
        var message = new LdapMessage(frame);
        if (message.Operation is not (LdapOperation.BindResponse or LdapOperation.SearchDone or LdapOperation.ExtendedResponse)) return;
        if (message is { Operation: LdapOperation.BindResponse, ResultCode: 0 } or { Operation: LdapOperation.SearchDone }) Open();
        else Refuse($"result {message.ResultCode}{(message.ResultCode == 49 ? ", invalid credentials" : "")}");
    }

    // A length of up to 64 KB, which no name or password exceeds in earnest.
    private static byte[] Element(byte tag, byte[] value) => value.Length < 0x80
        ? [tag, (byte)value.Length, .. value]
        : [tag, 0x82, (byte)(value.Length >> 8), (byte)value.Length, .. value];
}
