// All that the page knows, by topic. Views subscribe; only the stream writes.

const EVENTS_MAX = 1000; // as the server keeps

const listeners = new Map();
let offset = null;
let eventNumber = 0;

export const known = {
  overview: null,
  link: { state: "opening" },
  flows: new Map(),
  connections: new Map(),
  gateways: [],
  paths: [],
  measurements: [],
  fleet: null, // as it was asked for last
  events: [], // newest last, each with a number of its own
  has: new Set(), // topics that were told once: empty is then a fact
};

/** The server's clock: silences are reckoned by it, whatever this machine's says. */
export function now() {
  return Date.now() + (offset ?? 0);
}

/** Calls the listener with the topic each time it changed. Returns how to stop. */
export function subscribe(topics, listener) {
  for (const topic of topics) {
    if (!listeners.has(topic)) listeners.set(topic, new Set());
    listeners.get(topic).add(listener);
  }
  return () => topics.forEach(topic => listeners.get(topic).delete(listener));
}

export function takeOverview(overview) {
  offset = null; // a server that was started anew may have another clock
  known.overview = overview;
  tick(overview.now);
  changed("overview");
}

/** Flows and connections: the whole first, then what changed. */
export function takeRows(topic, message, keyOf) {
  tick(message.now);
  const rows = known[topic];
  if (message.isWhole) rows.clear();
  for (const row of message[topic]) {
    row.readAt = message.now;
    rows.set(keyOf(row), row);
  }
  for (const [id, down, up, bytesDown, bytesUp] of message.facts ?? []) { // of flows: what changes with every byte
    const row = rows.get(String(id));
    if (row) [row.heardAt, row.bytes] = [{ down, up }, { down: bytesDown, up: bytesUp }];
  }
  for (const id of message.gone ?? []) rows.delete(String(id));
  changed(topic, message);
}

export function takeList(topic, message) {
  tick(message.now);
  known[topic] = message[topic] ?? [];
  changed(topic);
}

/** What happened before; of what is here already only the later stays. */
export function takePast(events) {
  const last = events.length ? Date.parse(events[events.length - 1].at) : 0;
  const later = known.events.filter(e => Date.parse(e.at) > last);
  known.events.length = 0;
  takeEvents([...events, ...later]);
}

export function takeEvents(events) {
  for (const e of events) e.n = ++eventNumber;
  known.events.push(...events);
  if (known.events.length > EVENTS_MAX) known.events.splice(0, known.events.length - EVENTS_MAX);
  changed("events", events);
}

/** What the page itself came to know: whether it is connected. */
export function tell(topic, what) {
  known[topic] = what;
  changed(topic, what);
}

// A message that was long under way says an earlier now: the latest of all is the nearest.
function tick(serverNow) {
  if (!Number.isFinite(serverNow)) return;
  const seen = serverNow - Date.now();
  if (offset === null || seen > offset) offset = seen;
}

function changed(topic, what) {
  known.has.add(topic);
  for (const listener of [...listeners.get(topic) ?? []]) listener(topic, what);
}
