using System.Text.Json;
using System.Text.Json.Serialization;

namespace KeepAlive.Fleet.Etcd;

/// <summary>
/// Messages of etcd's JSON gateway: those of its <c>rpc.proto</c>, by protobuf's JSON mapping: 64-bit integers are strings, bytes are base64,
/// and what is zero is left out.
/// </summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString)]
[JsonSerializable(typeof(RangeRequest))]
[JsonSerializable(typeof(RangeAnswer))]
[JsonSerializable(typeof(TxnRequest))]
[JsonSerializable(typeof(TxnAnswer))]
[JsonSerializable(typeof(LeaseRequest))]
[JsonSerializable(typeof(LeaseAnswer))]
[JsonSerializable(typeof(StreamLine<LeaseAnswer>), TypeInfoPropertyName = "LeaseLine")]
[JsonSerializable(typeof(WatchRequest))]
[JsonSerializable(typeof(StreamLine<WatchAnswer>), TypeInfoPropertyName = "WatchLine")]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(LoginAnswer))]
[JsonSerializable(typeof(ErrorAnswer))]
internal sealed partial class EtcdJson : JsonSerializerContext;

internal sealed record Header(long Revision);

internal sealed record KeyValue(byte[]? Key, byte[]? Value, long CreateRevision, long ModRevision, long Lease);

internal sealed record RangeRequest(byte[] Key, byte[]? RangeEnd)
{
    public long? Limit { get; init; }

    public string? SortOrder { get; init; }

    public string? SortTarget { get; init; }

    public long? MinModRevision { get; init; }

    public bool? CountOnly { get; init; }
}

internal sealed record RangeAnswer(Header? Header, KeyValue?[]? Kvs, long Count);

/// <summary>What a condition is about is written even if it is zero: etcd takes a target that is not there for one that is met.</summary>
internal sealed record Compare(byte[] Key, string Target)
{
    public string Result { get; } = "EQUAL";

    public long? ModRevision { get; init; }

    public long? Lease { get; init; }
}

internal sealed record PutRequest(byte[] Key, byte[] Value, long? Lease);

internal sealed record DeleteRequest(byte[] Key);

internal sealed record Operation(PutRequest? RequestPut, DeleteRequest? RequestDeleteRange);

internal sealed record TxnRequest(Compare[] Compare, Operation[] Success);

internal sealed record TxnAnswer(Header? Header, bool Succeeded);

internal sealed record LeaseRequest([property: JsonPropertyName("ID")] long? Id, [property: JsonPropertyName("TTL")] long? Ttl);

internal sealed record LeaseAnswer(Header? Header, [property: JsonPropertyName("ID")] long Id, [property: JsonPropertyName("TTL")] long Ttl);

internal sealed record WatchRequest(CreateRequest CreateRequest);

internal sealed record CreateRequest(byte[] Key, byte[] RangeEnd, long StartRevision)
{
    public bool ProgressNotify { get; } = true;

    // A message is then split where it would be longer than a request may be.
    public bool Fragment { get; } = true;
}

internal sealed record WatchAnswer(Header? Header, bool Created, bool Canceled, long CompactRevision, string? CancelReason, bool Fragment, WatchEvent?[]? Events);

internal sealed record WatchEvent(string? Type, KeyValue? Kv);

internal sealed record LoginRequest(string Name, string Password);

internal sealed record LoginAnswer(string? Token);

/// <summary>A line of a stream: either of the two.</summary>
internal sealed record StreamLine<T>(T? Result, JsonElement? Error);

/// <summary>
/// A refusal. A call's has a text as <c>error</c>, a stream's an object with <c>message</c> in it; since etcd 3.6 both are objects of one form.
/// </summary>
internal sealed record ErrorAnswer(JsonElement? Error, JsonElement? Message, JsonElement? Code);
