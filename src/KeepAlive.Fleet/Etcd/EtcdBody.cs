using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace KeepAlive.Fleet.Etcd;

/// <summary>A request's body, which knows whether it has begun to be sent. Before that nothing can have been done: etcd waits for all of it.</summary>
internal sealed class EtcdBody : HttpContent
{
    private readonly byte[] _json;

    public EtcdBody(byte[] json)
    {
        _json = json;
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    public bool IsSent { get; private set; }

    /// <summary>All of an answer, if it is not longer than it may be.</summary>
    /// <exception cref="EtcdCallException">It is longer.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContent content, int max, CancellationToken cancel)
    {
        Stream stream = await content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        byte[] buffer = new byte[Math.Clamp(content.Headers.ContentLength ?? 0, 4096, 1 << 20)];
        int length = 0;
        while (await stream.ReadAsync(buffer.AsMemory(length), cancel).ConfigureAwait(false) is var read and > 0)
        {
            length += read;
            if (length > max) throw TooLong(max);
            if (length == buffer.Length) Array.Resize(ref buffer, (int)Math.Min(2L * length, max + 1L));
        }

        return buffer.AsMemory(0, length);
    }

    internal static EtcdCallException TooLong(int max) => new(EtcdFault.NotEtcd, CallOutcome.Unknown,
        string.Create(CultureInfo.InvariantCulture, $"its answer is longer than {max >> 20} MiB, which nothing of ours is: {EtcdRefusal.NotEtcd}"));

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        IsSent = true;
        return stream.WriteAsync(_json, cancellationToken).AsTask();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _json.Length;
        return true;
    }
}
