namespace KeepAlive.Linux.Bpf;

/// <summary>A register of the BPF machine.</summary>
internal enum Reg
{
    R0, R1, R2, R3, R4, R5, R6, R7, R8, R9,

    /// <summary>Frame pointer: the stack grows down from it.</summary>
    Fp,
}

/// <summary>
/// BPF instructions by hand, in the order they run (linux/bpf.h: 8 bytes each; code, dst and src, offset, immediate).
/// </summary>
internal sealed class BpfProgram
{
    private readonly List<ulong> _code = [];
    private readonly Dictionary<string, int> _labels = [];
    private readonly List<(int At, string Label)> _jumps = [];

    public BpfProgram Move(Reg to, Reg from) => Add(0xBF, to, from, 0, 0);

    public BpfProgram Move(Reg to, int value) => Add(0xB7, to, 0, 0, value);

    public BpfProgram AddTo(Reg to, int value) => Add(0x07, to, 0, 0, value);

    /// <summary>to = *(u64 *)(from + offset).</summary>
    public BpfProgram Load64(Reg to, Reg from, int offset) => Add(0x79, to, from, offset, 0);

    /// <summary>to = *(u32 *)(from + offset).</summary>
    public BpfProgram Load32(Reg to, Reg from, int offset) => Add(0x61, to, from, offset, 0);

    /// <summary>*(u64 *)(to + offset) = from.</summary>
    public BpfProgram Store64(Reg to, int offset, Reg from) => Add(0x7B, to, from, offset, 0);

    /// <summary>*(u32 *)(to + offset) = value.</summary>
    public BpfProgram Store32(Reg to, int offset, int value) => Add(0x62, to, 0, offset, value);

    /// <summary>to = the map behind this descriptor (BPF_PSEUDO_MAP_FD).</summary>
    public BpfProgram LoadMap(Reg to, int fd)
    {
        Add(0x18, to, (Reg)1, 0, fd);
        _code.Add(0);
        return this;
    }

    public BpfProgram Call(int function) => Add(0x85, 0, 0, 0, function);

    public BpfProgram JumpIfZero(Reg value, string label) => Jump(0x15, value, 0, label);

    public BpfProgram JumpIfEqual(Reg value, int to, string label) => Jump(0x15, value, to, label);

    public BpfProgram JumpIfNot(Reg value, int to, string label) => Jump(0x55, value, to, label);

    public BpfProgram Label(string name)
    {
        _labels.Add(name, _code.Count);
        return this;
    }

    public BpfProgram Exit(int result) => Move(Reg.R0, result).Return();

    /// <summary>With what R0 holds.</summary>
    public BpfProgram Return() => Add(0x95, 0, 0, 0, 0);

    public ulong[] Assemble()
    {
        ulong[] code = [.. _code];
        foreach ((int at, string label) in _jumps)
            code[at] |= (ulong)(ushort)(short)(_labels[label] - at - 1) << 16;
        return code;
    }

    private BpfProgram Jump(byte code, Reg value, int to, string label)
    {
        _jumps.Add((_code.Count, label));
        return Add(code, value, 0, 0, to);
    }

    private BpfProgram Add(byte code, Reg to, Reg from, int offset, int immediate)
    {
        _code.Add(code | ((ulong)to << 8) | ((ulong)from << 12) | ((ulong)(ushort)(short)offset << 16) | ((ulong)(uint)immediate << 32));
        return this;
    }
}
