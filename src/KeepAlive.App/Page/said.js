// What a screen reader is told without asking: deaths and probes, gathered, at most one sentence in five seconds.

import { say } from "./dom.js";
import { known, subscribe } from "./store.js";

const EVERY_MS = 5000;

export function announceChanges(place, count) {
  const before = new Map();
  let dead = [], probing = [], alive = [], timer = null, isFirst = true;

  subscribe(["link"], (_, link) => {
    if (link.state === "lost") say(place, "The connection to keepalive up is lost. What is shown is old.");
  });
  subscribe(["flows"], (_, message) => {
    for (const flow of message.flows) {
      const was = before.get(flow.id);
      before.set(flow.id, flow.state);
      if (isFirst || message.isWhole || was === flow.state) continue;
      if (flow.state === "dead") dead.push(flow);
      else if (flow.state === "probing") probing.push(flow);
      else if (flow.state === "alive" && was === "probing") alive.push(flow);
    }
    for (const id of message.gone ?? []) before.delete(id);
    isFirst = false;
    if (dead.length + probing.length + alive.length > 0) timer ??= setTimeout(tell, timer === null ? 500 : EVERY_MS);
  });

  function tell() {
    timer = setTimeout(() => {
      timer = null;
      if (dead.length + probing.length + alive.length > 0) tell();
    }, EVERY_MS);
    if (known.link.state === "lost") return;
    say(place, [words(dead, "dead"), words(probing, "being probed"), words(alive, "alive again")].filter(Boolean).join(". "));
    dead = [];
    probing = [];
    alive = [];
  }

  function words(flows, what) {
    if (flows.length === 0) return "";
    return flows.length === 1 ? `Flow to ${flows[0].server} is ${what}` : `${count(flows.length, "flow")} are ${what}`;
  }
}
