using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Callers;

/// <summary>Connects to MQTT 3.1.1 with a clean session, no Will, and no Keep Alive of its own: the probes are ours.</summary>
internal sealed class MqttCaller(CallDetails call) : FrameCaller
{
    private const byte Connect = 0x10;
    private const byte ConnectAnswer = 0x20;
    private const byte HasUser = 0x80;
    private const byte HasPassword = 0x40;
    private const byte CleanSession = 0x02;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye { get; } = new byte[] { 0xE0, 0 };

    /// <inheritdoc/>
    public override void Begin()
    {
        int flags = CleanSession | (call.User is null ? 0 : HasUser) | (call is { User: not null, Password: not null } ? HasPassword : 0);
        byte[] body =
        [
            .. Word("MQTT"), 4, (byte)flags, 0, 0, // version 3.1.1, and no Keep Alive (section 3.1.2.10)
            .. Word(string.Create(CultureInfo.InvariantCulture, $"keepalive-{call.Seed:x8}")),
            .. call.User is null ? [] : Word(call.User), .. call is { User: not null, Password: { } password } ? Word(password) : [],
        ];
        int length = body.Length;
        var head = new List<byte> { Connect };
        do
        {
            head.Add((byte)((length & 0x7F) | (length > 0x7F ? 0x80 : 0)));
            length >>= 7;
        }
        while (length > 0);
        Say([.. head, .. body]);
    }

    /// <inheritdoc/>
    protected override FrameMeasure Measure(ReadOnlySpan<byte> start)
    {
        const int LengthBytesMax = 4;
        if (State == CallState.Opening && start[0] != ConnectAnswer) return FrameMeasure.Doubtful("what came is not MQTT");
        int length = 0;
        for (int i = 1; i < start.Length && i <= LengthBytesMax; i++)
        {
            length |= (start[i] & 0x7F) << (7 * (i - 1));
            if (start[i] < 0x80) return FrameMeasure.Of(1 + i + length);
        }

        return start.Length <= LengthBytesMax ? FrameMeasure.NeedsMore : FrameMeasure.Doubtful("what came is not MQTT");
    }

    /// <inheritdoc/>
    protected override void OnFrame(ReadOnlySpan<byte> frame)
    {
        if (frame[0] != ConnectAnswer || frame.Length < 4) return;
        if (frame[3] == 0) Open();
        else Refuse(frame[3] switch // section 3.2.2.3
        {
            1 => "the server does not take MQTT 3.1.1",
            2 => "the server does not take our client identifier",
            3 => "the server says that it is unavailable",
            4 => "bad user name or password",
            5 => "not authorized",
            var code => $"connect return code {code}",
        });
    }

    private static byte[] Word(string text)
    {
        byte[] bytes = [0, 0, .. Encoding.UTF8.GetBytes(text)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)Math.Min(bytes.Length - 2, ushort.MaxValue));
        return bytes;
    }
}
