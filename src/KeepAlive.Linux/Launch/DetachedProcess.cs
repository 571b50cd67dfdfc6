using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Launch;

/// <summary>
/// Starts a process that is nobody's child: the program that ours becomes must not find a child it never made, for which
/// a <c>while (wait(NULL) > 0)</c> would wait for ever. So: fork, fork again, exec in the grandchild, and reap the child
/// between at once; the grandchild is init's.
/// </summary>
/// <remarks>
/// A forked .NET process has one thread and no runtime to speak of. Between fork and exec there are but system calls
/// through pointers taken beforehand, without transitions of the garbage collector, in a method compiled beforehand.
/// </remarks>
internal static unsafe class DetachedProcess
{
    private const int NotStarted = 127;

    /// <param name="command">The program's full path, and its arguments.</param>
    /// <exception cref="SyscallException">fork failed.</exception>
    public static void Start(IReadOnlyList<string> command)
    {
        nint libc = NativeLibrary.GetMainProgramHandle();
        var calls = new Calls
        {
            Fork = (delegate* unmanaged[SuppressGCTransition]<int>)NativeLibrary.GetExport(libc, "fork"),
            Execv = (delegate* unmanaged[SuppressGCTransition]<byte*, byte**, int>)NativeLibrary.GetExport(libc, "execv"),
            Waitpid = (delegate* unmanaged[SuppressGCTransition]<int, int*, int, int>)NativeLibrary.GetExport(libc, "waitpid"),
            Exit = (delegate* unmanaged[SuppressGCTransition]<int, void>)NativeLibrary.GetExport(libc, "_exit"),
        };
        using var arguments = new Arguments(command);
        RuntimeHelpers.PrepareMethod(((Delegate)Run).Method.MethodHandle);
        if (Run(&calls, arguments.Vector) < 0) throw new SyscallException("fork", Errno.EAGAIN);
    }

    private static int Run(Calls* calls, byte** arguments)
    {
        int child = calls->Fork();
        if (child == 0)
        {
            if (calls->Fork() == 0) calls->Execv(arguments[0], arguments);
            calls->Exit(NotStarted);
        }

        int status;
        if (child > 0) calls->Waitpid(child, &status, 0);
        return child;
    }

    private struct Calls
    {
        public delegate* unmanaged[SuppressGCTransition]<int> Fork;
        public delegate* unmanaged[SuppressGCTransition]<byte*, byte**, int> Execv;
        public delegate* unmanaged[SuppressGCTransition]<int, int*, int, int> Waitpid;
        public delegate* unmanaged[SuppressGCTransition]<int, void> Exit;
    }
}
