using System.Security.Cryptography;
using System.Text;

namespace KeepAlive.Paths.Reflect;

/// <summary>What both ends of the path protocol know (docs/path-protocol.md).</summary>
internal static class PathProtocol
{
    /// <summary>The first word of every connection.</summary>
    public const string Greeting = "KEEPALIVE-PATH/1";

    /// <summary>Bytes of a line with its end: the longest there is, LANE, has under 100.</summary>
    public const int LineBytesMax = 512;

    /// <summary>Bytes of a control connection's first line: CHALLENGE, the answer to one who has proven nothing, has 50.</summary>
    public const int OpeningBytesMin = 192;

    /// <summary>Bytes of a nonce and of a session's name.</summary>
    public const int NonceBytes = 16;

    /// <summary>Numbers of lanes are below this.</summary>
    public const int LaneNumbers = 65536;

    /// <summary>The longest that a lane may be asked to be silent, to speak or to keep alive.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromDays(2);

    /// <summary>A nonce, or the name of a session, that nobody can foretell.</summary>
    public static string NewNonce() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(NonceBytes));

    /// <summary>Shows that one has the token.</summary>
    /// <param name="token">The shared secret.</param>
    /// <param name="side">Whose proof it is: the other's cannot be sent back.</param>
    /// <param name="clientNonce">Chosen by the client.</param>
    /// <param name="serverNonce">Chosen by the server.</param>
    public static string Proof(ReadOnlySpan<byte> token, PathSide side, string clientNonce, string serverNonce) => Convert.ToHexStringLower(
        HMACSHA256.HashData(token, Encoding.ASCII.GetBytes($"{(side == PathSide.Client ? "client" : "server")} {clientNonce} {serverNonce}")));

    /// <summary>Whether the proof is the one expected; in the same time wherever they differ.</summary>
    public static bool IsProof(string given, string expected) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(given), Encoding.ASCII.GetBytes(expected));

    /// <summary>Whether the word is a nonce.</summary>
    public static bool IsNonce(string word) => word.Length == 2 * NonceBytes && word.All(char.IsAsciiHexDigitLower);
}

/// <summary>An end of a path.</summary>
public enum PathSide
{
    /// <summary>Who measures.</summary>
    Client,

    /// <summary>Who reflects.</summary>
    Server,
}
