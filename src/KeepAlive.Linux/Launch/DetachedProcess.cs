using System.Collections;
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
            Execve = (delegate* unmanaged[SuppressGCTransition]<byte*, byte**, byte**, int>)NativeLibrary.GetExport(libc, "execve"),
            Waitpid = (delegate* unmanaged[SuppressGCTransition]<int, int*, int, int>)NativeLibrary.GetExport(libc, "waitpid"),
            Exit = (delegate* unmanaged[SuppressGCTransition]<int, void>)NativeLibrary.GetExport(libc, "_exit"),
        };
        using Arguments arguments = new(command), environment = new(Environment());
        RuntimeHelpers.PrepareMethod(((Delegate)Run).Method.MethodHandle);
        if (Run(&calls, arguments.Vector, environment.Vector) < 0) throw new SyscallException("fork", Errno.EAGAIN);
    }

    // Ours, without the diagnostic port: it would stay in the temporary directory when the process is killed.
    private static List<string> Environment()
    {
        IDictionary variables = System.Environment.GetEnvironmentVariables();
        variables["DOTNET_EnableDiagnostics"] = "0";
        return [.. variables.Cast<DictionaryEntry>().Select(v => $"{v.Key}={v.Value}")];
    }

    private static int Run(Calls* calls, byte** arguments, byte** environment)
    {
        int child = calls->Fork();
        if (child == 0)
        {
            if (calls->Fork() == 0) calls->Execve(arguments[0], arguments, environment);
            calls->Exit(NotStarted);
        }

        int status;
        if (child > 0) calls->Waitpid(child, &status, 0);
        return child;
    }

    private struct Calls
    {
        public delegate* unmanaged[SuppressGCTransition]<int> Fork;
        public delegate* unmanaged[SuppressGCTransition]<byte*, byte**, byte**, int> Execve;
        public delegate* unmanaged[SuppressGCTransition]<int, int*, int, int> Waitpid;
        public delegate* unmanaged[SuppressGCTransition]<int, void> Exit;
    }
}
