using System.Text.Json;
using KeepAlive.App.Connections;
using KeepAlive.App.Events;
using KeepAlive.App.Live;

namespace KeepAlive.App.Web;

/// <summary>
/// What one listener is told of one topic. It knows what the listener has, so that one who reads slowly is told of more at a time, and
/// nothing waits for them.
/// </summary>
internal interface IStreamFeed
{
    /// <summary>What is new, one message after the other; none where nothing is.</summary>
    IEnumerable<ReadOnlyMemory<byte>> Take();
}

/// <summary>Flows: all, then what changes.</summary>
internal sealed class FlowFeed(LiveFlows flows) : IStreamFeed
{
    private const int ChunkFlows = 1000;
    private const long FactsEvery = 1000;

    private FlowPosition _position;
    private long _factsAt;

    public IEnumerable<ReadOnlyMemory<byte>> Take()
    {
        long now = LiveState.Now;
        bool isFactsDue = now - _factsAt >= FactsEvery;
        FlowChanges changes = flows.Read(_position, isFactsDue ? FlowReading.ChangesAndFacts : FlowReading.Changes);
        _position = changes.Position;
        if (isFactsDue) _factsAt = now;
        bool isFirst = true;
        foreach (LiveFlow[] chunk in changes.Changed.Length == 0 ? (LiveFlow[][])[[]] : changes.Changed.Chunk(ChunkFlows))
        {
            LiveFlow[] heard = isFirst ? changes.Heard : [];
            long[] gone = isFirst ? changes.Gone : [];
            bool isWhole = isFirst && changes.IsWhole;
            isFirst = false;
            if (isWhole || chunk.Length + heard.Length + gone.Length > 0) yield return Message(chunk, heard, gone, isWhole, now);
        }
    }

    private ReadOnlyMemory<byte> Message(LiveFlow[] chunk, LiveFlow[] heard, long[] gone, bool isWhole, long now) => StreamMessage.Of(Topics.Flows, writer =>
    {
        writer.WriteNumber("now", now);
        writer.WriteBoolean("isWhole", isWhole);
        writer.WriteStartArray("flows");
        flows.Each(chunk, flow => LiveFlowJson.Write(writer, flow));
        writer.WriteEndArray();
        writer.WriteStartArray("facts");
        flows.Each(heard, flow => LiveFlowJson.WriteFacts(writer, flow));
        writer.WriteEndArray();
        writer.WriteStartArray("gone");
        foreach (long id in gone) writer.WriteNumberValue(id);
        writer.WriteEndArray();
    });
}

/// <summary>Connections: all, then what cannot be reckoned.</summary>
internal sealed class ConnectionFeed(LiveConnections connections) : IStreamFeed
{
    private long _count;
    private string? _fault;

    public IEnumerable<ReadOnlyMemory<byte>> Take()
    {
        ConnectionChanges changes = connections.Read(_count);
        if (connections.Fault is { } fault && fault != _fault)
        {
            _fault = fault;
            yield return StreamMessage.Of(Topics.Connections, writer => Write(writer, changes, fault));
        }

        // Nothing was read yet.
        if (changes.ReadAt == 0 || changes.Count == _count) yield break;
        _count = changes.Count;
        if (changes.IsWhole || changes.Changed.Count + changes.Gone.Length > 0) yield return StreamMessage.Of(Topics.Connections, writer => Write(writer, changes, null));
    }

    private void Write(Utf8JsonWriter writer, ConnectionChanges changes, string? fault)
    {
        writer.WriteNumber("now", changes.ReadAt == 0 ? LiveState.Now : changes.ReadAt);
        writer.WriteBoolean("isWhole", changes.IsWhole);
        if (fault is not null) writer.WriteString("fault", fault);
        ConnectionJson.WriteSource(writer, connections.List);
        writer.WriteStartArray("connections");
        foreach (Judged row in changes.Changed) ConnectionJson.Write(writer, row);
        writer.WriteEndArray();
        writer.WriteStartArray("gone");
        foreach (ulong id in changes.Gone) writer.WriteStringValue(ConnectionJson.Id(id));
        writer.WriteEndArray();
    }
}

/// <summary>Events: the last ones, then each as it happens.</summary>
internal sealed class EventFeed(LiveEvents events) : IStreamFeed
{
    private const int FirstMax = 200;
    private const int AtOnceMax = 250;

    private long _told = -1;

    public IEnumerable<ReadOnlyMemory<byte>> Take()
    {
        bool isFirst = _told < 0;
        ToldEvent[] fresh = events.Read(Math.Max(0, _told), isFirst ? FirstMax : AtOnceMax, out long leftOut, out _told);
        if (leftOut > 0 && !isFirst) yield return StreamMessage.Of("event", writer => EventText.WriteLeftOut(writer, leftOut, fresh[0].Time));
        foreach (ToldEvent told in fresh) yield return StreamMessage.Of("event", EventText.Json(told));
    }
}

/// <summary>Something that is told whole whenever it is another.</summary>
internal sealed class DocumentFeed(string name, Func<LiveDocument> read) : IStreamFeed
{
    private long _version = -1;

    public IEnumerable<ReadOnlyMemory<byte>> Take()
    {
        LiveDocument document = read();
        if (document.Version == _version) yield break;
        _version = document.Version;
        yield return StreamMessage.Of(name, document.Json);
    }
}
