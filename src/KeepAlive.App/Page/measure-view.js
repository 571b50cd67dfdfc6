// Measurements of paths: start one, watch its lanes, stop it, use what it found.

import { send } from "./api.js";
import { el, field, put, say } from "./dom.js";
import { badge } from "./shapes.js";
import { known, now, subscribe } from "./store.js";
import { duration, setting, time } from "./words.js";

const LANES = {
  waiting: { tone: "off", shape: "ring" }, opening: { tone: "info", shape: "ring" }, held: { tone: "info", shape: "hollow" }, due: { tone: "info", shape: "hollow" },
  lived: { tone: "good", shape: "disc" }, lost: { tone: "bad", shape: "cross" }, ended: { tone: "off", shape: "dash" },
};
const LANES_SHOWN = 30;
const KINDS = {
  silent: "silent", clientKeepAlive: "keepalive from here", serverKeepAlive: "keepalive from there", clientBytes: "data from here", serverBytes: "data from there",
};
const STATES = {
  running: { tone: "info", shape: "hollow" }, done: { tone: "good", shape: "disc" },
  failed: { tone: "bad", shape: "cross" }, stopped: { tone: "off", shape: "dash" },
};

export function measureView(parameters) {
  const input = (name, more) => el("input", { name, autocomplete: "off", spellcheck: "false", ...more });
  const to = input("to", { required: true, placeholder: "far.example.com:7201", value: parameters.get("to") ?? "" });
  const token = input("token", { type: "password", placeholder: "none" }), max = input("max", { placeholder: "2h" });
  const fault = el("p", { class: "fault", role: "alert" }), start = el("button", { type: "submit", class: "strong" }, "Measure");
  const list = el("div", { class: "cards wide" }), none = el("div", { class: "empty" }, el("p", {}, "Nothing is being measured."));
  const element = el("div", { class: "view scrolls" },
    el("form", { class: "panel form", onsubmit: begin, "aria-label": "Start a measurement" },
      el("h2", {}, "How long does a path remember a silent connection?"),
      el("p", { class: "note" }, "At the far end: ", el("code", {}, "keepalive reflect --listen 0.0.0.0:7201"), ". It takes about twice the path's timeout; nothing on the way is changed."),
      el("div", { class: "fields" }, field("Far end", to), field("Its token", token), field("Longest that is tried", max)),
      fault, el("p", { class: "actions" }, start)),
    list);
  const cards = new Map();

  async function begin(e) {
    e.preventDefault();
    say(fault, "");
    start.disabled = true;
    try {
      const wish = { to: to.value.trim() };
      for (const [name, where] of Object.entries({ token, max })) if (where.value.trim()) wish[name] = where.value.trim();
      await send("POST", "/api/v1/measurements", wish);
    } catch (error) {
      say(fault, error.message);
    }
    start.disabled = false;
    rights();
  }

  function show() {
    const all = [...known.measurements].sort((a, b) => b.startedAt - a.startedAt), ids = new Set(all.map(m => m.id));
    for (const id of cards.keys()) if (!ids.has(id)) cards.delete(id);
    const wanted = all.map(m => {
      if (!cards.has(m.id)) cards.set(m.id, measurementCard());
      cards.get(m.id).update(m, now());
      return cards.get(m.id).element;
    });
    if (wanted.length === 0) wanted.push(none);
    if (wanted.some((card, i) => list.children[i] !== card) || list.children.length !== wanted.length) put(list, wanted);
  }

  function rights() {
    const o = known.overview, cannot = o?.canWrite === false;
    start.disabled = cannot;
    if (cannot) say(fault, `Nothing can be started from here: ${o.whyNot || "this page may only read"}`);
  }

  const stop = subscribe(["measurements", "overview"], topic => {
    if (topic === "overview") rights();
    show();
  });
  show();
  rights();
  return { element, tick: show, dispose: stop };
}

function measurementCard() {
  const title = el("h2", {}), state = el("span", { class: "state" }), text = el("p", { class: "text", role: "status" }), fault = el("p", { class: "fault", role: "alert" });
  const bracket = el("p", { class: "bracket" }), lanes = el("ol", { class: "lanes", "aria-label": "Lanes: each a connection that is left idle" }), use = el("p", { class: "actions" });
  let id = null, sign = "", rows = new Map();
  const stop = el("button", { type: "button", onclick: async () => {
    stop.disabled = true;
    try { await send("DELETE", `/api/v1/measurements/${encodeURIComponent(id)}`); } catch (e) { say(fault, e.message); }
    stop.disabled = false;
  } }, "Stop");
  const element = el("article", { class: "card measurement" }, el("header", {}, title, state, stop), bracket, text, fault, lanes, use);

  function update(m, at) {
    id = m.id;
    element.dataset.state = m.state;
    say(title, m.to);
    say(stop, m.state === "running" ? "Stop" : "Forget");
    say(bracket, between(m, at));
    say(text, m.text ?? "");
    for (const lane of m.lanes ?? []) {
      if (!rows.has(lane.n)) rows.set(lane.n, laneRow(lane.n));
      rows.get(lane.n).update(lane, at, m.state);
    }
    // What is under way first, then the latest; a measurement has a hundred.
    const order = (m.lanes ?? []).filter(lane => m.state === "running" || isOver(lane)).sort((a, b) => isOver(a) - isOver(b) || b.n - a.n).slice(0, LANES_SHOWN).map(lane => rows.get(lane.n).element);
    if (order.some((row, i) => lanes.children[i] !== row) || order.length !== lanes.children.length) put(lanes, order);
    const said = JSON.stringify([m.state, m.result]);
    if (said === sign) return;
    sign = said;
    put(state, badge(STATES[m.state] ?? STATES.stopped, m.state));
    const spec = m.result?.advice;
    put(use, spec && el("a", { class: "button", href: `#/explain?spec=${encodeURIComponent(spec)}` }, `Look at ${spec}`), m.state === "done" && el("a", { href: "#/paths" }, "All paths"));
  }

  return { element, update };
}

function isOver(lane) {
  return lane.state === "lived" || lane.state === "lost" || lane.state === "ended";
}

function between(m, at) {
  const parts = [`since ${time(m.startedAt)}`];
  if (m.state === "running") parts.push(`${duration(at - m.startedAt)} so far`);
  if (m.lowMs > 0 || m.highMs > 0) parts.push(`${m.lowMs > 0 ? `lived through ${setting(m.lowMs)}` : "nothing lived yet"}, ${m.highMs > 0 ? `lost after ${setting(m.highMs)}` : "nothing was lost yet"}`);
  return parts.join(" · ");
}

// A connection left silent for so long: how far it is, and what became of it.
function laneRow(n) {
  const meter = el("progress", { max: 1, "aria-label": `lane ${n}` }), kind = el("span", { class: "n" }), state = el("span", { class: "lane-state" }), text = el("span", { class: "note" }), idle = el("span", { class: "num" });
  const element = el("li", { class: "lane" }, kind, idle, meter, state, text);
  let sign = "";

  function update(lane, at, measurement) {
    const isHeld = lane.state === "held" && measurement === "running";
    element.dataset.state = lane.state;
    meter.value = isOver(lane) || lane.state === "due" ? 1 : isHeld && lane.idleMs > 0 ? Math.min(1, Math.max(0, (at - lane.openedAt) / lane.idleMs)) : 0;
    say(kind, KINDS[lane.kind] ?? lane.kind ?? `lane ${n}`);
    say(idle, lane.idleMs > 0 ? setting(lane.idleMs) : "");
    say(text, isHeld && lane.idleMs > 0 ? `${duration(Math.max(0, lane.openedAt + lane.idleMs - at))} to go` : lane.text === lane.state ? "" : lane.text ?? "");
    if (sign === lane.state) return;
    sign = lane.state;
    put(state, badge(LANES[lane.state] ?? LANES.waiting, lane.state));
  }

  return { element, update };
}
