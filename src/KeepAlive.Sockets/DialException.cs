using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;

namespace KeepAlive.Sockets;

/// <summary>One address a <see cref="Dialer"/> tried, and how that ended.</summary>
/// <param name="Address">The address.</param>
/// <param name="Error">The error of connect(2); <see cref="SocketError.TimedOut"/> also when the dialler's own time ran out first.</param>
/// <param name="Text">The same in words: <c>Connection refused</c>, <c>no answer</c>.</param>
internal sealed record DialAttempt(IPAddress Address, SocketError Error, string Text)
{
    /// <summary><c>192.0.2.1: Connection refused</c>.</summary>
    public override string ToString() => $"{Address}: {Text}";
}

/// <summary>
/// A target could not be connected to. The message names it and every address tried:
/// <c>cannot connect to ftp.example.com:21: 192.0.2.1: Connection refused; 2001:db8::1: Network is unreachable</c>.
/// </summary>
internal sealed class DialException : Exception
{
    internal DialException(HostPort target, string message, IReadOnlyList<DialAttempt> attempts, Exception? cause)
        : base(message, cause) => (Target, Attempts) = (target, attempts);

    /// <summary>What was to be connected to.</summary>
    public HostPort Target { get; }

    /// <summary>Every address tried, in the order in which the attempts ended; empty when the name has none.</summary>
    public IReadOnlyList<DialAttempt> Attempts { get; }

    /// <summary>Every address failed.</summary>
    internal static DialException Failed(HostPort target, IReadOnlyList<DialAttempt> attempts) =>
        new(target, $"cannot connect to {target}: {string.Join("; ", attempts)}", attempts, null);

    /// <summary>The time was over; attempts that were under way are among them.</summary>
    internal static DialException TimedOut(HostPort target, TimeSpan time, IReadOnlyList<DialAttempt> attempts, Exception? cause)
    {
        string what = attempts.Count > 0 ? string.Join("; ", attempts) : "the name was not resolved in time";
        return new DialException(target, $"cannot connect to {target} within {Duration.Format(time)}: {what}", attempts, cause);
    }
}
