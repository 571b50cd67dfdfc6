using KeepAlive.Core;

namespace KeepAlive.Gateway;

/// <summary>Where an open flow stands, as far as can be told without asking the kernel or waiting for anybody.</summary>
/// <param name="Id">The flow's number.</param>
/// <param name="ClientHeard">When bytes last came from the client; when it was accepted, if none have.</param>
/// <param name="ServerHeard">When bytes last came from the server.</param>
/// <param name="BytesUp">That the client has sent.</param>
/// <param name="BytesDown">That the server has sent.</param>
/// <param name="Relayed">When bytes last went from one end to the other: probes and their answers are none.</param>
/// <param name="Unanswered">Probes of the protocol out without an answer, towards whichever leg has more.</param>
internal readonly record struct FlowFacts(long Id, Instant ClientHeard, Instant ServerHeard, long BytesUp, long BytesDown, Instant Relayed, int Unanswered);

/// <summary>What the kernel's own keepalive does on the legs of an open flow.</summary>
/// <param name="Id">The flow's number.</param>
/// <param name="Client">Probes out towards the client without an answer.</param>
/// <param name="Server">Those towards the server.</param>
internal readonly record struct FlowKernelProbes(long Id, int Client, int Server);
