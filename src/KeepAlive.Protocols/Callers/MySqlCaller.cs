using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using KeepAlive.Protocols.Framing;
using KeepAlive.Protocols.MySql;

namespace KeepAlive.Protocols.Callers;

/// <summary>
/// Logs in to MySQL and MariaDB (MySQL internals, "Connection Phase") by mysql_native_password, or by caching_sha2_password where the
/// server has the password at hand. It is never sent itself.
/// </summary>
internal sealed class MySqlCaller(CallDetails call) : FrameCaller
{
    private const string Native = "mysql_native_password";
    private const string CachingSha2 = "caching_sha2_password";
    private const int SaltBytes = 20;

    private const uint WithDatabase = 0x8;
    private const uint Protocol41 = 0x200;
    private const uint SecureConnection = 0x8000;
    private const uint PluginAuth = 0x8_0000;
    private const byte Utf8 = 33;

    private bool _isGreeted;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye { get; } = new byte[] { 1, 0, 0, 0, 1 };

    /// <inheritdoc/>
    protected override FrameMeasure Measure(ReadOnlySpan<byte> start) =>
        start.Length < MySqlPacket.HeadBytes ? FrameMeasure.NeedsMore : FrameMeasure.Of(MySqlPacket.HeadBytes + new MySqlPacket(start).Length);

    /// <inheritdoc/>
    protected override void OnFrame(ReadOnlySpan<byte> frame)
    {
        if (State != CallState.Opening) return;
        var packet = new MySqlPacket(frame);
        ReadOnlySpan<byte> payload = packet.Payload;
        if (packet.Kind == MySqlPacket.Error && payload.Length >= 3) Refuse(Text(payload[3..]));
        else if (!_isGreeted) OnGreeting(payload);
        else if (packet.Kind == MySqlPacket.Ok) Open();
        else if (packet.Kind == MySqlPacket.Eof) OnSwitch(payload[1..], packet.Sequence);
        else if (payload is [1, 4, ..]) Refuse("it wants the password itself (caching_sha2_password without a cached entry), which is not sent: log in once by another client, or name another user");
    }

    private void OnGreeting(ReadOnlySpan<byte> payload)
    {
        // 10, version and NUL, 4 thread, 8 salt, NUL, 2 capabilities, 1, 2, 2 capabilities, 1, 10, 12 salt, NUL, plugin and NUL
        const int FirstSaltBytes = 8, BetweenBytes = 19;
        int first = payload.IndexOf((byte)0) + 5, second = first + FirstSaltBytes + BetweenBytes, name = second + SaltBytes - FirstSaltBytes + 1;
        if (payload is not [10, ..] || first < 5 || payload.Length < name)
        {
            Surrender("what came is no greeting of MySQL's");
            return;
        }

        _isGreeted = true;
        byte[] salt = [.. payload.Slice(first, FirstSaltBytes), .. payload[second..(name - 1)]];
        string offered = Word(payload[name..]), plugin = offered is Native or CachingSha2 ? offered : Native;
        byte[] answer = Scramble(plugin, salt) ?? [];
        string database = call.Path;
        uint capabilities = Protocol41 | SecureConnection | PluginAuth | (database.Length > 0 ? WithDatabase : 0);
        byte[] body = [.. new byte[32], .. Encoding.UTF8.GetBytes(call.User ?? "root"), 0, (byte)answer.Length, .. answer, .. database.Length > 0 ? (byte[])[.. Encoding.UTF8.GetBytes(database), 0] : [], .. Encoding.ASCII.GetBytes(plugin), 0];
        BinaryPrimitives.WriteUInt32LittleEndian(body, capabilities);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4), 1 << 24);
        body[8] = Utf8;
        SayPacket(body, 1);
    }

    private void OnSwitch(ReadOnlySpan<byte> body, byte sequence)
    {
        string plugin = Word(body);
        ReadOnlySpan<byte> salt = body.Length > plugin.Length + 1 ? body[(plugin.Length + 1)..] : default;
        if (Scramble(plugin, salt[..Math.Min(salt.Length, SaltBytes)].ToArray()) is { } answer) SayPacket(answer, (byte)(sequence + 1));
        else Refuse($"it wants {Text(Encoding.UTF8.GetBytes(plugin))}, which is not known here: name a user of {Native}");
    }

    // Null for what is not known.
    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "mysql_native_password is made of SHA-1.")]
    private byte[]? Scramble(string plugin, byte[] salt)
    {
        if (plugin is not (Native or CachingSha2)) return null;
        if (string.IsNullOrEmpty(call.Password)) return [];
        byte[] password = Encoding.UTF8.GetBytes(call.Password);
        (byte[] once, byte[] mask) = plugin == Native
            ? (SHA1.HashData(password), SHA1.HashData([.. salt, .. SHA1.HashData(SHA1.HashData(password))]))
            : (SHA256.HashData(password), SHA256.HashData([.. SHA256.HashData(SHA256.HashData(password)), .. salt]));
        for (int i = 0; i < once.Length; i++) once[i] ^= mask[i];
        return once;
    }

    private void SayPacket(ReadOnlySpan<byte> body, byte sequence) => Say([(byte)body.Length, (byte)(body.Length >> 8), (byte)(body.Length >> 16), sequence, .. body]);

    private static string Word(ReadOnlySpan<byte> text) => Encoding.ASCII.GetString(text.IndexOf((byte)0) is var end and >= 0 ? text[..end] : text);
}
