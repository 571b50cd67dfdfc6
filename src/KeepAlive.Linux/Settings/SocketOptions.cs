namespace KeepAlive.Linux.Settings;

/// <summary>The keepalive options of a socket as getsockopt(2) gives them: seconds, milliseconds; -1 where it could not be read.</summary>
internal sealed record SocketOptions(int KeepAlive, int Idle, int Interval, int Count, int UserTimeout);
