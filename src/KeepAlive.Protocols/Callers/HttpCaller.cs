using System.Globalization;
using KeepAlive.Protocols.Http;

namespace KeepAlive.Protocols.Callers;

/// <summary>Asks HTTP/1.1 a HEAD of its own (RFC 9110 section 9.3.2), as that has nothing else that a server answers. Any status is an answer.</summary>
internal sealed class HttpCaller(CallDetails call) : Caller
{
    private HttpHead _head = new();

    /// <inheritdoc/>
    public override ProofOfLife Proof => ProofOfLife.Question;

    /// <inheritdoc/>
    public override void Begin() => Open();

    /// <inheritdoc/>
    public override string? Ask()
    {
        if (Why.Length > 0) return null;
        SayLine($"HEAD {HttpText.PathOf(call)} HTTP/1.1\r\nHost: {call.Host}\r\n{HttpText.Login(call)}User-Agent: keepalive-ping\r\n");
        return "HEAD";
    }

    /// <inheritdoc/>
    public override void Hear(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_head.Add(bytes)..];
            if (_head.IsTooLong) Surrender("a head that is too long for HTTP");
            if (!_head.IsWhole || State == CallState.Strange) return;
            HttpHead head = _head;
            _head = new HttpHead();
            if (HttpResponse.Read(head)?.Status is not { } status) Surrender($"'{head.StartLine}' is no answer of HTTP's");
            else if (status >= 200) OnAnswer(head, status);
        }
    }

    private void OnAnswer(HttpHead head, int status)
    {
        Answer(status.ToString(CultureInfo.InvariantCulture));
        if (head.Has("Connection", "close") || head.StartLine.StartsWith("HTTP/1.0", StringComparison.Ordinal)) NoMore("the server closes after each answer");
    }
}
