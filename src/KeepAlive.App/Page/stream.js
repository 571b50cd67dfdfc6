// The one EventSource. The browser opens it again by itself after a break; where it gives up (an answer that is no stream), we do.

import { get } from "./api.js";
import { known, takeEvents, takeList, takeOverview, takePast, takeRows, tell } from "./store.js";

const TOPICS = "flows,connections,events,gateways,paths,measurements";
const AGAIN_MS = 2000;

// The server says something every 15 s at least. One that is hung says nothing and closes nothing: after this it is given up, as any peer.
const SILENCE_MAX_MS = 40_000;

let source = null, heardAt = 0, isPunctual = false;

export function start() {
  source?.close();
  source = new EventSource(`/api/v1/stream?topics=${TOPICS}`);
  heardAt = performance.now();
  const on = (name, take) => source.addEventListener(name, message => {
    heardAt = performance.now();
    take(JSON.parse(message.data));
  });

  source.addEventListener("open", () => tell("link", { state: "open" }));
  source.addEventListener("error", lost);
  on("hello", overview => {
    tell("link", { state: "open" });
    takeOverview(overview);
    readPast();
  });
  on("flows", message => takeRows("flows", message, flow => String(flow.id)));
  on("connections", message => takeRows("connections", message, connection => String(connection.id)));
  on("gateways", message => takeList("gateways", message));
  on("paths", message => takeList("paths", message));
  on("measurements", message => takeList("measurements", message));
  on("event", event => takeEvents([event]));
  on("keepalive", () => isPunctual = true);
}

/** Asked each second. */
export function watch() {
  if (!isPunctual || source.readyState !== EventSource.OPEN || performance.now() - heardAt < SILENCE_MAX_MS) return;
  lost();
  start();
}

function lost() {
  if (known.link.state !== "lost") tell("link", { state: "lost", since: Date.now() });
  if (source.readyState === EventSource.CLOSED) again();
}

// An answer that is no stream: the daemon may be away, or want a token first.
async function again() {
  try {
    await get("/api/v1/overview");
  } catch (error) {
    if (error.status === 401) {
      tell("link", { state: "locked" });
      return;
    }
  }
  setTimeout(start, AGAIN_MS);
}

// What happened before the page was opened, once a connection.
async function readPast() {
  try {
    takePast((await get("/api/v1/events?limit=1000")).events);
  } catch {
    takeEvents([]); // those that come are shown all the same
  }
}
