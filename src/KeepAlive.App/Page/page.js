// The frame: which view is shown, the line above all, the tabs, the clock.

import { el, put, say } from "./dom.js";
import { headline } from "./headline.js";
import { announceChanges } from "./said.js";
import { known, now, subscribe } from "./store.js";
import { start, watch } from "./stream.js";
import { count, duration, number } from "./words.js";
import { connectionsView } from "./connections-view.js";
import { eventsView } from "./events-view.js";
import { explainView } from "./explain-view.js";
import { askForFleet } from "./fleet.js";
import { fleetView } from "./fleet-view.js";
import { flowsView } from "./flows-view.js";
import { gatewaysView } from "./gateways-view.js";
import { askForToken } from "./login.js";
import { measureView } from "./measure-view.js";
import { pathsView } from "./paths-view.js";

// A view is a function of its place in the address (`#/flows?state=dead`) that gives { element, tick?(now), dispose?() }.
// One that not every daemon has tells whether it is there.
const VIEWS = {
  flows: { title: "Flows", open: flowsView, tally: () => known.flows.size },
  gateways: { title: "Gateways", open: gatewaysView, tally: () => known.gateways.length },
  fleet: { title: "Fleet", open: fleetView, tally: () => known.fleet?.machines?.length ?? 0, isThere: () => known.fleet?.isMember === true },
  connections: { title: "Connections", open: connectionsView, tally: () => known.connections.size },
  paths: { title: "Paths", open: pathsView, tally: () => known.paths.length },
  events: { title: "Events", open: eventsView, tally: () => 0 },
  explain: { title: "Explain", open: explainView, tally: () => 0 },
  measure: { title: "Measure", open: measureView, tally: () => known.measurements.filter(m => m.state === "running").length },
};

const at = id => document.getElementById(id);
let shown = null, shownName = null;

function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const name = VIEWS[path] ? path : "flows", parameters = new URLSearchParams(query);
  if (name === shownName && shown.goTo?.(parameters)) return; // the same view, elsewhere in it
  shown?.dispose?.();
  const isFirst = shownName === null;
  shownName = name;
  shown = VIEWS[name].open(parameters);
  put(at("main"), el("h1", { class: "unseen" }, VIEWS[name].title), shown.element);
  document.title = `${VIEWS[name].title} · KeepAlive`;
  for (const tab of at("tabs").children) {
    const isHere = tab.dataset.view === name;
    if (isHere) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
    if (isHere) tab.scrollIntoView({ block: "nearest", inline: "center" });
  }
  if (!isFirst && !at("tabs").contains(document.activeElement)) at("main").focus({ preventScroll: true });
  shown.tick?.(now());
}

// Those that are there already stay: one of them may have the focus.
function tabs() {
  let before = at("tabs").firstChild;
  for (const [name, { title, isThere = () => true }] of Object.entries(VIEWS)) {
    const tab = before?.dataset.view === name ? before : null;
    before = tab?.nextSibling ?? (tab ? null : before);
    if (tab && !isThere()) tab.remove();
    if (tab || !isThere()) continue;
    at("tabs").insertBefore(el("a", { href: `#/${name}`, "data-view": name, "aria-current": name === shownName ? "page" : null }, title, el("span", { class: "tally" })), before);
  }
}

function tallies() {
  for (const tab of at("tabs").children) {
    const n = VIEWS[tab.dataset.view].tally();
    say(tab.lastChild, n > 0 ? number(n) : "");
  }
}

function link() {
  const state = known.link.state, place = at("link");
  place.dataset.state = state;
  say(place, state === "open" ? "live" : state === "locked" ? "locked" : state === "lost" ? `lost ${duration(Date.now() - known.link.since)} ago` : "connecting");
  document.body.toggleAttribute("data-lost", state === "lost");
}

function host() {
  const o = known.overview;
  if (o) say(at("host"), `${o.host ?? ""}${o.user ? ` · as ${o.user}` : ""}${o.version ? ` · ${o.version.split("+")[0]}` : ""}`);
}

// What changes often is drawn at most four times a second: nobody reads faster.
function calmly(draw, everyMs = 250) {
  let timer = null, last = 0;
  return () => {
    if (timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      last = performance.now();
      draw();
    }, Math.max(0, everyMs - (performance.now() - last)));
  };
}

function everySecond() {
  watch();
  link();
  shown.tick?.(now());
  headline(at("headline"));
}

tabs();
route();
headline(at("headline"));
addEventListener("hashchange", route);
at("main").previousElementSibling.addEventListener("keydown", e => { // arrow keys along the tabs, as one expects of them
  const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key], all = [...at("tabs").children], here = all.indexOf(document.activeElement);
  if (!step || here < 0) return;
  e.preventDefault();
  all[(here + step + all.length) % all.length].focus();
});
subscribe(["overview"], host);
subscribe(["overview"], askForFleet); // each time it is connected: it may have been started with another fleet, or none
subscribe(["fleet"], tabs);
subscribe(["link"], (_, { state }) => {
  link();
  if (state === "locked") askForToken();
});
const frame = calmly(() => {
  tallies();
  headline(at("headline"));
});
subscribe(["flows", "connections", "gateways", "paths", "measurements", "overview", "link", "fleet"], frame);
announceChanges(at("said"), count);
setInterval(everySecond, 1000);
start();
