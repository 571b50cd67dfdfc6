namespace KeepAlive.Protocols.Ssh;

/// <summary>What an end offers, as it stands on the wire.</summary>
/// <remarks>
/// RFC 4253 section 7.1. To the server (c2s) and to the client (s2c) apart:
/// <code>
///   +----+--------+-----+-----------+-------------+-------------+----------+----------+---------+
///   | 20 | cookie | kex | host keys | ciphers c2s | ciphers s2c | MACs c2s | MACs s2c | compression c2s, s2c
///   +----+--------+-----+-----------+-------------+-------------+----------+----------+---------+
///     1    16       name-lists
///   +------------------------------+------------------------+------------+
///   | languages c2s, s2c           | a guess follows (bool) | 0 (uint32) |
///   +------------------------------+------------------------+------------+
/// </code>
/// </remarks>
internal sealed class SshKexInit
{
    public const string StrictClient = "kex-strict-c-v00@openssh.com";
    public const string StrictServer = "kex-strict-s-v00@openssh.com";
    public const string ExtInfoClient = "ext-info-c";

    private const int CookieBytes = 16;

    public required string[] KeyExchanges { get; init; }

    public required string[] HostKeys { get; init; }

    public required string[] CiphersToServer { get; init; }

    public required string[] CiphersToClient { get; init; }

    public required string[] MacsToServer { get; init; }

    public required string[] MacsToClient { get; init; }

    public required string[] CompressionToServer { get; init; }

    public required string[] CompressionToClient { get; init; }

    /// <summary>The peer has sent its next message already, made for what it expects to be agreed upon.</summary>
    public required bool IsGuessFollowing { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> payload, out SshKexInit? init)
    {
        var reader = new SshReader(payload[1..]);
        reader.Take(CookieBytes);
        init = new SshKexInit
        {
            KeyExchanges = reader.Names(),
            HostKeys = reader.Names(),
            CiphersToServer = reader.Names(),
            CiphersToClient = reader.Names(),
            MacsToServer = reader.Names(),
            MacsToClient = reader.Names(),
            CompressionToServer = reader.Names(),
            CompressionToClient = reader.Names(),
            IsGuessFollowing = ReadGuess(ref reader),
        };
        reader.Number();
        return !reader.IsShort;
    }

    public static byte[] Write(SshOffer offer, bool isClient, bool isFirst, SshRandom random)
    {
        Span<byte> cookie = stackalloc byte[CookieBytes];
        random(cookie);
        List<string> exchanges = [.. offer.KeyExchanges];
        if (isFirst && offer.IsStrict) exchanges.Add(isClient ? StrictClient : StrictServer);
        string[] none = ["none"];
        return SshWriter.Of(SshMessage.KexInit).Raw(cookie).Names(exchanges).Names(offer.HostKeys)
            .Names(offer.Ciphers).Names(offer.Ciphers).Names(offer.Macs).Names(offer.Macs).Names(none).Names(none)
            .Names([]).Names([]).Flag(false).Number(0).ToArray();
    }

    private static bool ReadGuess(ref SshReader reader)
    {
        reader.Names();
        reader.Names();
        return reader.Flag();
    }
}
