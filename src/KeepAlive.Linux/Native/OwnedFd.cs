using Microsoft.Win32.SafeHandles;

namespace KeepAlive.Linux.Native;

/// <summary>A descriptor of ours, closed with it.</summary>
internal sealed class OwnedFd : SafeHandleMinusOneIsInvalid
{
    public OwnedFd(nint fd)
        : base(ownsHandle: true) => SetHandle(fd);

    public int Fd => (int)DangerousGetHandle();

    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
