// All flows of all gateways: as they go silent, are probed, live on or die.

import { el, put, say } from "./dom.js";
import { flowDetails } from "./flow-details.js";
import { Grid, madeColumn, textColumn } from "./grid.js";
import { inWords } from "./policy.js";
import { FLOW_STATES, badge, flowWord } from "./shapes.js";
import { known, now, subscribe } from "./store.js";
import { heardAt, timeline } from "./timeline.js";
import { count, duration, number, roundTrip } from "./words.js";

const RANK = Object.fromEntries(Object.keys(FLOW_STATES).map((name, i) => [name, i]));
const REFRESH_MS = 250;

function silence(flow, at) {
  const heard = heardAt(flow);
  return heard === null ? null : Math.max(0, (flow.endedAt ?? at) - heard);
}

const bySilence = (a, b) => (silence(b, now()) ?? -1) - (silence(a, now()) ?? -1);
const byState = (a, b) => RANK[a.state] - RANK[b.state] || (b.probes?.unanswered ?? 0) - (a.probes?.unanswered ?? 0) || bySilence(a, b);
const byText = read => (a, b) => read(a).localeCompare(read(b), "en", { numeric: true });

export function flowsView(parameters) {
  const search = el("input", { type: "search", placeholder: "address, gateway, protocol", "aria-label": "Search flows", oninput: () => refill() });
  const state = el("select", { "aria-label": "State", onchange: () => refill() }, ["any state", ...Object.keys(FLOW_STATES)].map((name, i) => el("option", { value: i === 0 ? "" : name }, name)));
  const gateway = el("select", { "aria-label": "Gateway", onchange: () => refill() }, el("option", { value: "" }, "any gateway"));
  const shown = el("span", { class: "shown", role: "status" }), words = el("span", { class: "words" });
  const side = el("aside", { class: "side", "aria-label": "Details of a flow", hidden: true });
  let details = null, timer = null, pointed = null;

  const grid = new Grid({ label: "Flows", kind: "flows", columns: columns(), key: flow => String(flow.id), now, onOpen: open, onPoint: point, onSort: refill });
  const element = el("div", { class: "view" },
    el("div", { class: "bar", role: "search" }, search, state, gateway, shown),
    el("div", { class: "split" }, grid.element, side),
    el("p", { class: "foot" }, words, legend()));

  function refill() {
    const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [];
    for (const flow of known.flows.values()) {
      if (state.value && flow.state !== state.value) continue;
      if (gateway.value && flow.gateway !== gateway.value) continue;
      if (wanted.length && !wanted.every(word => textOf(flow).includes(word))) continue;
      rows.push(flow);
    }
    grid.show(grid.order(rows, byState));
    say(shown, rows.length === known.flows.size ? count(rows.length, "flow") : `${number(rows.length)} of ${count(known.flows.size, "flow")}`);
    explainEmpty(rows.length);
    details?.update(now());
  }

  function explainEmpty(rows) {
    if (rows > 0) grid.explain();
    else if (!known.has.has("flows")) grid.explain(el("p", {}, "Waiting for keepalive up ..."));
    else if (known.flows.size > 0) grid.explain(el("p", {}, "No flow is like that."), el("button", { type: "button", onclick: clear }, "Show all"));
    else if (known.gateways.length > 0) grid.explain(el("p", {}, "No flow yet. Connect a client to ", el("code", {}, known.gateways[0].listen), " instead of ", el("code", {}, known.gateways[0].to), "."));
    else grid.explain(el("p", {}, "No gateway is configured, so there is nothing to relay. Begin with"), el("pre", {}, "keepalive config example > keepalive.json\nkeepalive up --config keepalive.json"), el("p", {}, "or see what ", el("a", { href: "#/connections" }, "this machine's own connections"), " have."));
  }

  function clear() {
    search.value = state.value = gateway.value = "";
    refill();
    search.focus();
  }

  function gateways() {
    const names = [...new Set([...known.gateways.map(g => g.name), ...(gateway.value ? [gateway.value] : [])])].filter(Boolean), chosen = gateway.value;
    put(gateway, el("option", { value: "" }, "any gateway"), names.map(name => el("option", { value: name }, name)));
    gateway.value = chosen;
  }

  function open(flow) {
    close();
    details = flowDetails(flow, () => {
      close();
      grid.focus();
    });
    put(side, details.element);
    side.hidden = false;
    element.toggleAttribute("data-side", true);
    grid.opened = String(flow.id);
    details.element.focus({ preventScroll: true });
    refill();
  }

  function close() {
    details?.dispose();
    details = null;
    grid.opened = null;
    side.hidden = true;
    element.toggleAttribute("data-side", false);
  }

  // The policy in words, of the row that has the focus or the pointer.
  async function point(flow) {
    if (pointed === flow.policy) return;
    pointed = flow.policy;
    const text = await inWords(flow.policy);
    if (pointed === flow.policy) say(words, text && text !== flow.policy ? `${flow.policy}: ${text}` : "");
  }

  function goTo(p) {
    if (p.has("state")) state.value = p.get("state");
    if (p.has("gateway")) {
      if (![...gateway.options].some(o => o.value === p.get("gateway"))) gateway.append(el("option", { value: p.get("gateway") }, p.get("gateway")));
      gateway.value = p.get("gateway");
    }
    const flow = known.flows.get(p.get("flow"));
    if (flow) open(flow);
    else refill();
    return true;
  }

  const stop = subscribe(["flows", "gateways"], topic => {
    if (topic === "gateways") gateways();
    timer ??= setTimeout(() => {
      timer = null;
      refill();
    }, REFRESH_MS);
  });
  gateways();
  goTo(parameters);
  return {
    element, goTo,
    tick: at => {
      grid.refresh(at);
      details?.update(at);
    },
    dispose: () => {
      stop();
      clearTimeout(timer);
      close();
      grid.dispose();
    },
  };
}

function columns() {
  return [
    madeColumn("state", "State", f => flowWord(f), f => badge(FLOW_STATES[f.state] ?? FLOW_STATES.closed, flowWord(f)), byState),
    textColumn("gateway", "Gateway", f => f.gateway ?? "", byText(f => f.gateway ?? "")),
    textColumn("layer", "Layer", f => f.layer ?? "", byText(f => f.layer ?? "")),
    textColumn("policy", "Policy", f => f.policy ?? "", byText(f => f.policy ?? "")),
    textColumn("ends", "Client → server", f => `${f.client} → ${f.server}`, byText(f => `${f.server} ${f.client}`)),
    textColumn("silence", "Silent", (f, at) => duration(silence(f, at)), bySilence),
    probesColumn(),
    textColumn("trip", "Round trip", f => roundTrip(f.roundTripMs), (a, b) => (b.roundTripMs ?? -1) - (a.roundTripMs ?? -1)),
  ];
}

// Its drawing is kept beside the row's element: a row is used for many flows.
function probesColumn() {
  const drawings = new WeakMap();
  return {
    name: "probes", title: "Probes and answers",
    make: () => {
      const drawing = timeline();
      drawings.set(drawing.element, drawing);
      return drawing.element;
    },
    update: (cell, flow, at) => drawings.get(cell.firstChild).update(flow, at),
  };
}

function textOf(flow) {
  return flow.searched ??= `${flow.id} ${flow.client} ${flow.server} ${flow.gateway} ${flow.protocol} ${flow.layer} ${flow.policy}`.toLowerCase();
}

/** What the drawings mean. */
export function legend() {
  const sample = (marks, heardAt) => {
    const drawing = timeline(40);
    drawing.update({ openedAt: 0, marks, heardAt: { down: heardAt, up: heardAt } }, 15_000);
    drawing.element.setAttribute("aria-hidden", "true");
    return drawing.element;
  };
  return el("span", { class: "legend", "aria-label": "Key to the drawings" },
    el("span", {}, sample([[7000, "sent", null], [7001, "answered", null]], 15_000), "probe, answered"),
    el("span", {}, sample([[7000, "sent", null]], 0), "not answered"),
    el("span", {}, sample([[7000, "data", null]], 15_000), "data"),
    el("span", {}, sample([[7000, "died", null]], 0), "died"));
}
