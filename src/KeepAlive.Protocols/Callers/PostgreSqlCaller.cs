using System.Buffers.Binary;
using System.Text;
using KeepAlive.Protocols.Framing;
using KeepAlive.Protocols.PostgreSql;

namespace KeepAlive.Protocols.Callers;

/// <summary>
/// Starts a PostgreSQL session (PostgreSQL documentation, chapter "Message Flow") and logs in, by SCRAM-SHA-256 or without a password. A password is sent
/// neither in clear text nor as MD5.
/// </summary>
internal sealed class PostgreSqlCaller(CallDetails call) : FrameCaller
{
    private const string Mechanism = "SCRAM-SHA-256";

    private ScramSha256? _scram;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye { get; } = new byte[] { (byte)'X', 0, 0, 0, 4 };

    /// <inheritdoc/>
    public override void Begin()
    {
        string user = call.User ?? "postgres", database = call.Path.Length > 0 ? call.Path : user;
        byte[] words = [.. Word("user"), .. Word(user), .. Word("database"), .. Word(database), .. Word("application_name"), .. Word("keepalive ping"), 0];
        Span<byte> head = stackalloc byte[PostgreSqlMessage.RequestCodeBytes];
        BinaryPrimitives.WriteInt32BigEndian(head, head.Length + words.Length);
        BinaryPrimitives.WriteInt32BigEndian(head[4..], PostgreSqlMessage.Version3);
        Say([.. head, .. words]);
    }

    /// <inheritdoc/>
    protected override FrameMeasure Measure(ReadOnlySpan<byte> start) => PostgreSqlMessage.Measure(start);

    /// <inheritdoc/>
    protected override void OnFrame(ReadOnlySpan<byte> frame)
    {
        if (State != CallState.Opening) return;
        ReadOnlySpan<byte> body = frame[5..];
        switch ((char)frame[0])
        {
            case 'R' when body.Length >= 4:
                OnAuthentication(BinaryPrimitives.ReadInt32BigEndian(body), body[4..]);
                break;
            case 'E':
                Refuse(Message(body));
                break;
            case 'Z':
                Open();
                break;
        }
    }

    private void OnAuthentication(int kind, ReadOnlySpan<byte> body)
    {
        switch (kind)
        {
            case 0:
                break;
            case 10 when Text(body).Split('\0').Contains(Mechanism): // SASL
                _scram = new ScramSha256(call.Password ?? "", call.Seed);
                byte[] first = Encoding.ASCII.GetBytes(_scram.First);
                Span<byte> length = stackalloc byte[4];
                BinaryPrimitives.WriteInt32BigEndian(length, first.Length);
                SayMessage([.. Word(Mechanism), .. length, .. first]);
                break;
            case 11 when _scram is not null: // SASL, going on
                if (_scram.Final(Encoding.ASCII.GetString(body)) is { } final) SayMessage(Encoding.ASCII.GetBytes(final));
                else Surrender("the server's part of SCRAM-SHA-256 is not understood");
                break;
            case 12 when _scram is not null: // SASL, over
                if (!_scram.IsProven(Encoding.ASCII.GetString(body))) Refuse("the server does not prove that it knows the password");
                break;
            default:
                Refuse(kind is 3 or 5
                    ? $"it wants the password {(kind == 3 ? "in clear text" : "as MD5")}, which is not sent: have it use scram-sha-256, or let this client in without (pg_hba.conf)"
                    : $"it wants an authentication of kind {kind}, which is not known here");
                break;
        }
    }

    private void SayMessage(ReadOnlySpan<byte> body)
    {
        Span<byte> head = stackalloc byte[5];
        head[0] = (byte)'p';
        BinaryPrimitives.WriteInt32BigEndian(head[1..], 4 + body.Length);
        Say([.. head, .. body]);
    }

    // Fields of a letter and a text; M is what people read.
    private static string Message(ReadOnlySpan<byte> body) =>
        Encoding.UTF8.GetString(body).Split('\0').FirstOrDefault(field => field.StartsWith('M')) is { } message ? message[1..] : "an error without words";

    private static byte[] Word(string text) => [.. Encoding.UTF8.GetBytes(text), 0];
}
