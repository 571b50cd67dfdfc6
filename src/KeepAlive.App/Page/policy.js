// What a policy means, asked of the server once each: the reckoning is there, and nowhere else.

import { get } from "./api.js";

const KEPT_MAX = 500;
const asked = new Map();

/** All that `keepalive explain` knows of a SPEC. A bad one is an error with its faults. */
export function explain(spec) {
  const key = spec.trim();
  if (!asked.has(key)) {
    if (asked.size >= KEPT_MAX) asked.delete(asked.keys().next().value);
    const answer = get(`/api/v1/explain?spec=${encodeURIComponent(key)}`);
    answer.catch(() => asked.delete(key)); // asked again next time: it may have been the connection
    asked.set(key, answer);
  }
  return asked.get(key);
}

/** `idle 60s, 4 probes 15s apart: dead after 2m0s`; empty where it says nothing. */
export async function inWords(spec) {
  if (!spec || spec === "unknown") return "";
  try {
    return (await explain(spec)).text ?? "";
  } catch {
    return "";
  }
}

/** The options of a socket as one SPEC. */
export function specOf(o) {
  if (!o || o.keepalive === undefined || o.keepalive === null) return "unknown";
  return o.keepalive ? `${o.idleSeconds}:${o.count}:${o.intervalSeconds}` : "off";
}

/** The same with the user timeout, as `keepalive apply` prints it. */
export function optionsText(o, duration) {
  return specOf(o) + (o?.userTimeoutMs > 0 ? ` (user timeout ${duration(o.userTimeoutMs)})` : "");
}
