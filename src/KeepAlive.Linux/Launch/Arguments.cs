using System.Runtime.InteropServices;

namespace KeepAlive.Linux.Launch;

/// <summary>An argument vector, or an environment, as exec(3) wants it.</summary>
internal sealed unsafe class Arguments : IDisposable
{
    private readonly int _count;

    public Arguments(IReadOnlyList<string> texts)
    {
        _count = texts.Count;
        Vector = (byte**)NativeMemory.AllocZeroed((nuint)_count + 1, (nuint)sizeof(byte*));
        for (int i = 0; i < _count; i++) Vector[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
    }

    public byte** Vector { get; }

    public void Dispose()
    {
        for (int i = 0; i < _count; i++) Marshal.FreeCoTaskMem((nint)Vector[i]);
        NativeMemory.Free(Vector);
    }
}
