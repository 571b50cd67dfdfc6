using System.Buffers;
using System.Text;

namespace KeepAlive.Protocols.Callers;

/// <summary>Where a <see cref="Caller"/> stands.</summary>
internal enum CallState
{
    /// <summary>More has to be said or heard before the server can be probed.</summary>
    Opening,

    /// <summary>The server can be probed.</summary>
    Ready,

    /// <summary>The server answers, and lets us no further.</summary>
    Refused,

    /// <summary>What it says is not this protocol.</summary>
    Strange,

    /// <summary>It does not prove to be who was called.</summary>
    Distrusted,
}

/// <summary>What shows that a server lives, once the call is open.</summary>
internal enum ProofOfLife
{
    /// <summary>The answer to the protocol's own probe, the one that a gateway sends.</summary>
    Probe,

    /// <summary>The answer to a question of the caller's, where the protocol has no probe that must be answered: <see cref="Caller.Ask"/>.</summary>
    Question,

    /// <summary>Acknowledgments by the server's kernel alone: nothing could be asked that is answered and changes nothing.</summary>
    Kernel,
}

/// <summary>Who is called, and as whom.</summary>
internal sealed record CallDetails
{
    /// <summary>The server's name or address, with its port where that is not the protocol's own.</summary>
    public required string Host { get; init; }

    /// <summary>Path of a URL, name of a database; empty for none.</summary>
    public string Path { get; init; } = "";

    /// <summary>Who logs in; null for nobody.</summary>
    public string? User { get; init; }

    /// <summary>Their password; null for none.</summary>
    public string? Password { get; init; }

    /// <summary>Randomness, for what must be of this call alone.</summary>
    public required uint Seed { get; init; }

    /// <summary>What SSH needs beside; null for the others.</summary>
    public SshCallDetails? Ssh { get; init; }
}

/// <summary>
/// The client of a session that is opened only to probe the server: says the least that lets probes in, hears the answers, and
/// goes on to answer what the server asks of its clients. Pure: bytes in, bytes out.
/// </summary>
/// <remarks>
/// What it says goes through the <see cref="Protocol"/> like any client's bytes (leg downstream), and what comes out of that for
/// clients is what it hears: answers to probes are not among it.
/// </remarks>
internal abstract class Caller
{
    // A server may say so much of itself in a fault before it is cut; ours are longer where they say what to do.
    private const int WhyCharsMax = 200;
    private const int OwnWhyCharsMax = 1000;

    private readonly ArrayBufferWriter<byte> _said = new();

    // Taken after each time that something was heard: no more than fit into that.
    private readonly Queue<string> _answers = [];

    /// <summary>Where it stands.</summary>
    public CallState State { get; private set; }

    /// <summary>Why it is refused, strange or distrusted; empty otherwise. The server's words may be in it: mind control characters.</summary>
    public string Why { get; private set; } = "";

    /// <summary>What it wants said, in order, until <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Said => _said.WrittenSpan;

    /// <summary>What shows that the server lives.</summary>
    public virtual ProofOfLife Proof => ProofOfLife.Probe;

    /// <summary>What the server calls itself, where its protocol has a word for it; null before it is known. Mind control characters.</summary>
    public virtual string? Peer => null;

    /// <summary>Why the server ended the session, where it said so; else empty. Mind control characters.</summary>
    public virtual string LastWords => "";

    /// <summary>What it says last, so that servers do not take its end for a fault; nothing waits for the answer.</summary>
    public virtual ReadOnlyMemory<byte> Goodbye => default;

    /// <summary>The connection is there: what is said first.</summary>
    public virtual void Begin()
    {
    }

    /// <summary>Bytes for the client. Never throws.</summary>
    public abstract void Hear(ReadOnlySpan<byte> bytes);

    /// <summary>Asks a question of its own, where <see cref="Proof"/> says so.</summary>
    /// <returns>What was asked; null when no more can be: <see cref="Why"/>.</returns>
    public virtual string? Ask() => null;

    /// <summary>The oldest answer to <see cref="Ask"/> that was not taken; null while there is none.</summary>
    public string? TakeAnswer() => _answers.TryDequeue(out string? answer) ? answer : null;

    /// <summary>All was sent.</summary>
    public void Clear() => _said.ResetWrittenCount();

    /// <summary>Says bytes.</summary>
    protected void Say(ReadOnlySpan<byte> bytes) => _said.Write(bytes);

    /// <summary>Says a line, with CR and LF behind it.</summary>
    protected void SayLine(string line) => Say(Encoding.UTF8.GetBytes(line + "\r\n"));

    /// <summary>The server can be probed.</summary>
    protected void Open() => State = State == CallState.Opening ? CallState.Ready : State;

    /// <summary>The server lets us no further.</summary>
    protected void Refuse(string why) => End(CallState.Refused, why);

    /// <summary>The server speaks something else.</summary>
    protected void Surrender(string why) => End(CallState.Strange, why);

    /// <summary>The server is not who was called, or does not prove it.</summary>
    protected void Distrust(string why) => End(CallState.Distrusted, why, OwnWhyCharsMax);

    /// <summary>The answer to a question of its own is here.</summary>
    protected void Answer(string answer) => _answers.Enqueue(Cut(answer));

    /// <summary>No more questions, though nothing went wrong.</summary>
    protected void NoMore(string why) => Why = why;

    /// <summary>A server's words.</summary>
    protected static string Text(ReadOnlySpan<byte> bytes) => Cut(Encoding.UTF8.GetString(bytes));

    private void End(CallState state, string why, int charsMax = WhyCharsMax)
    {
        if (State is not (CallState.Opening or CallState.Ready)) return;
        (State, Why) = (state, Cut(why, charsMax));
    }

    private static string Cut(string text, int charsMax = WhyCharsMax) => text.Length <= charsMax ? text : text[..charsMax] + "...";
}
