using System.Runtime.InteropServices;

namespace KeepAlive.Linux.Native;

/// <summary>A failed syscall, by its name and errno.</summary>
internal sealed class SyscallException : Exception
{
    /// <summary>The call and the errno it left.</summary>
    public SyscallException(string call, int errno, string? detail = null)
        : base($"{call}: {Native.Errno.Name(errno)} ({Marshal.GetPInvokeErrorMessage(errno)}){(detail is null ? "" : ": " + detail)}")
    {
        Call = call;
        Errno = errno;
    }

    /// <summary>The call that failed.</summary>
    public string Call { get; }

    /// <summary>Its errno.</summary>
    public int Errno { get; }
}

/// <summary>errno by name (asm-generic/errno.h).</summary>
internal static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ESRCH = 3;
    public const int EINTR = 4;
    public const int EBADF = 9;
    public const int EAGAIN = 11;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EINVAL = 22;
    public const int ENOSYS = 38;
    public const int ENOBUFS = 105;

    public static string Name(int errno) => errno switch
    {
        EPERM => "EPERM",
        ENOENT => "ENOENT",
        ESRCH => "ESRCH",
        EINTR => "EINTR",
        EBADF => "EBADF",
        EAGAIN => "EAGAIN",
        EACCES => "EACCES",
        EBUSY => "EBUSY",
        EINVAL => "EINVAL",
        ENOSYS => "ENOSYS",
        ENOBUFS => "ENOBUFS",
        _ => $"errno {errno}",
    };

    /// <summary>The result, or the exception for -1.</summary>
    public static nint Check(nint result, string call)
    {
        if (result >= 0) return result;
        int errno = Marshal.GetLastPInvokeError();
        throw new SyscallException(call, errno);
    }
}
