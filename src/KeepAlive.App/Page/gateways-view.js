// The gateways: where they listen, what they do to their flows, how many there are.

import { el, put, say } from "./dom.js";
import { FLOW_STATES, badge } from "./shapes.js";
import { known, subscribe } from "./store.js";
import { count, number } from "./words.js";

export function gatewaysView() {
  const element = el("div", { class: "view scrolls" }), cards = el("div", { class: "cards" });
  let sign = "";
  put(element, cards);

  function show() {
    const list = known.gateways, tally = tallies(), said = JSON.stringify([list, [...tally], known.overview?.config]);
    if (said === sign) return;
    sign = said;
    put(cards, list.length === 0 ? empty() : list.map(g => card(g, tally.get(g.name) ?? {})));
  }

  const stop = subscribe(["gateways", "overview"], show);
  show();
  return { element, tick: show, dispose: stop };
}

function card(g, states) {
  return el("article", { class: "card" },
    el("h2", {}, g.name, g.isEnding && el("span", { class: "note" }, " ending: its flows live on")),
    el("p", { class: "route" }, el("code", {}, g.listen), " → ", el("code", {}, g.to)),
    el("dl", { class: "figures" },
      el("dt", {}, "protocol"), el("dd", {}, g.protocol),
      el("dt", {}, "kernel keepalive"), el("dd", {}, el("code", {}, g.tcp), words(g.tcpText)),
      g.probe && [el("dt", {}, "probes"), el("dd", {}, el("code", {}, g.probe), words(g.probeText))]),
    el("p", { class: "states" }, Object.keys(FLOW_STATES).filter(state => states[state]).map(state => badge(FLOW_STATES[state], `${number(states[state])} ${state}`))),
    el("p", {}, el("a", { href: `#/flows?gateway=${encodeURIComponent(g.name)}` }, count(g.flows ?? 0, "flow"))));
}

function words(text) {
  return text && el("span", { class: "note" }, ` ${text}`);
}

function tallies() {
  const all = new Map();
  for (const flow of known.flows.values()) {
    if (!all.has(flow.gateway)) all.set(flow.gateway, {});
    const states = all.get(flow.gateway);
    states[flow.state] = (states[flow.state] ?? 0) + 1;
  }
  return all;
}

function empty() {
  const config = known.overview?.config;
  return el("div", { class: "empty" },
    el("p", {}, "No gateway: nothing is relayed, and nothing on this machine is changed."),
    el("pre", {}, `keepalive config example > ${config?.file ?? "keepalive.json"}\nkeepalive config check ${config?.file ?? "keepalive.json"}`),
    el("p", {}, config?.isThere ? `An entry in "gateways" of ${config.file} begins to listen as soon as the file is written.` : "prints a file to begin with, with what each member means. keepalive up takes changes over as they are written."));
}
