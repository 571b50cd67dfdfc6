// One line that says what is wrong and what to do about it, worst first; two more below it at most.

import { el, put } from "./dom.js";
import { icon } from "./shapes.js";
import { known, now } from "./store.js";
import { count, duration, number } from "./words.js";

const MORE_MAX = 2;
const SHAPE = { bad: "cross", warn: "up", good: "disc", info: "ring", wait: "ring" };
const LOST_VERDICTS = { unnoticed: "keepalive off", tooslow: "first probe too late", ignored: "keepalive ignored on the path" };

/** The policy that README begins with: survives every known middlebox that counts keepalive. */
export const ADVISED = "60:4:15";

let sign = null;

export function headline(place) {
  const all = findings(), shown = all.slice(0, 1 + MORE_MAX);
  const now = JSON.stringify([shown.map(f => [f.tone, f.what, f.next, f.links]), all.length]);
  if (now === sign) return; // focus on one of its links stays
  sign = now;
  place.dataset.tone = all[0].tone;
  put(place, shown.map((finding, i) => line(finding, i > 0)),
    all.length > shown.length && el("p", { class: "more" }, `and ${all.length - shown.length} more`));
}

function line({ tone, what, next, links = [] }, isLess) {
  return el("p", { class: `${isLess ? "less" : "main"} ${tone}` },
    icon(SHAPE[tone], isLess ? 10 : 16), el("span", { class: "what" }, el("strong", {}, what), next && ` ${next}`, links.map(([text, href], i) => [i > 0 ? ", or " : " ", el("a", { href }, text)])));
}

/** Worst first; never empty. */
export function findings() {
  if (known.link.state === "lost") return [lost()];
  if (known.link.state === "locked") return [{ tone: "info", what: "This page wants its token.", next: "It is in the file that \"dashboard\": {\"tokenFile\"} names." }];
  if (!known.overview) return [{ tone: "wait", what: "Connecting to keepalive up ..." }];
  const all = [...flowFindings(), ...connectionFindings(), ...rightFindings()];
  if (!all.some(f => f.tone === "bad" || f.tone === "warn")) all.unshift(fine());
  const rank = { bad: 0, warn: 1, good: 2, info: 3 };
  return all.sort((a, b) => rank[a.tone] - rank[b.tone]);
}

function lost() {
  return {
    tone: "bad", what: "No connection to keepalive up.",
    next: "What is shown is old, from before it was lost. The page tries again by itself; if that does not help: is it running (systemctl status keepalive), and still on this address?",
  };
}

function flowFindings() {
  const dead = [], probing = [];
  for (const flow of known.flows.values()) {
    if (flow.state === "dead") dead.push(flow);
    else if (flow.state === "probing") probing.push(flow);
  }
  const found = [];
  if (dead.length > 0) {
    const last = dead.reduce((a, b) => (b.endedAt ?? 0) > (a.endedAt ?? 0) ? b : a);
    found.push({
      tone: "bad", what: `${count(dead.length, "flow")} died in the last minute,`,
      next: `the last to ${last.server}: ${whyDead(last)}.`, links: [["See why", `#/flows?state=dead&flow=${last.id}`]],
    });
  }
  if (probing.length > 0) {
    const worst = probing.reduce((a, b) => (b.probes?.unanswered ?? 0) > (a.probes?.unanswered ?? 0) ? b : a);
    found.push({
      tone: "warn", what: `${count(probing.length, "flow")} of ${number(known.flows.size)} ${probing.length === 1 ? "waits" : "wait"} for an answer:`,
      next: `${worst.server} owes ${count(worst.probes?.unanswered ?? 1, "answer")}${worst.probes?.of ? `, dead after ${worst.probes.of}` : ""}. Is that server up?`,
      links: [["Watch", `#/flows?state=probing&flow=${worst.id}`]],
    });
  }
  return found;
}

// The last word of a flow that died is that it is closed; why was said before.
function whyDead(flow) {
  return known.events.findLast(e => e.event === "died" && e.flow === flow.id)?.text || flow.text || "its peer answered no probe";
}

function connectionFindings() {
  const beyond = beyondConnections(), silent = beyond.filter(c => LOST_VERDICTS[c.verdict]), stuck = beyond.filter(c => c.verdict === "stuck"), probing = beyond.filter(c => c.verdict === "probing");
  const found = [];
  if (stuck.length > 0) {
    found.push({
      tone: "bad", what: `${number(stuck.length)} of ${count(beyond.length, "connection")} ${stuck.length === 1 ? "has" : "have"} data that nobody acknowledges,`,
      next: `${ownerOf(stuck[0])} to ${stuck[0].remote} for one: ${stuck[0].text}.`, links: [["See them", "#/connections?verdict=stuck"]],
    });
  }
  if (silent.length > 0) {
    const reasons = Object.entries(LOST_VERDICTS).map(([kind, words]) => [silent.filter(c => c.verdict === kind).length, words]).filter(([n]) => n > 0);
    const [owner, pid, n] = mostOf(silent);
    found.push({
      tone: silent.some(c => c.verdict !== "tooslow") ? "bad" : "warn", what: `${number(silent.length)} of ${count(beyond.length, "connection")} will be dropped in silence:`,
      next: `${reasons.map(([k, words]) => `${words} (${number(k)})`).join(", ")}. ${pid ? `${whose(n, silent.length)} ${owner}'s:` : "Next:"}`,
      links: pid ? [[`give that process ${ADVISED}`, `#/connections?verdict=wrong&change=${pid}`], ["see them", "#/connections?verdict=wrong"]] : [["see them", "#/connections?verdict=wrong"]],
    });
  }
  if (probing.length > 0) {
    found.push({ tone: "warn", what: `${count(probing.length, "peer")} of this machine's connections ${probing.length === 1 ? "does" : "do"} not answer:`, next: `${probing[0].remote}, ${probing[0].text}.`, links: [["See them", "#/connections?verdict=probing"]] });
  }
  return found;
}

function whose(n, all) {
  return all === 1 ? "It is" : n === all ? "All are" : n === 1 ? "One is" : `${number(n)} are`;
}

function rightFindings() {
  return (known.overview.notes ?? []).map(note => ({ tone: "info", what: "Note:", next: note }));
}

function fine() {
  const flows = known.flows.size, beyond = beyondConnections().length;
  const inside = [...known.connections.values()].filter(c => LOST_VERDICTS[c.verdict] && isLoopback(c)).length;
  const besides = inside > 0 ? ` ${count(inside, "connection")} within this machine ${inside === 1 ? "is" : "are"} not kept alive, which no middlebox minds.` : "";
  const ok = [flows > 0 && `${count(flows, "flow")} through ${count(known.gateways.length, "gateway")}`, beyond > 0 && `${count(beyond, "connection")} of this machine`].filter(Boolean);
  if (ok.length > 0) {
    return {
      tone: "good", what: "Nothing is wrong.", next: `${ok.join(" and ")}: the dead are found, and nobody is forgotten on the way. Up for ${upFor()}.${besides}`,
      links: known.gateways.length === 0 ? [["What a policy costs", "#/explain"]] : [],
    };
  }
  return known.gateways.length > 0
    ? { tone: "good", what: "Nothing is wrong, and nothing to do.", next: `${count(known.gateways.length, "gateway")} listening, no flow yet: connect a client to ${known.gateways[0].listen}.${besides}`, links: [["Gateways", "#/gateways"]] }
    : { tone: "good", what: "Nothing is wrong.", next: "This machine has no connection to another one now, and no gateway is configured: keepalive config example > keepalive.json prints one to begin with." + besides, links: [["Measure a path", "#/measure"]] };
}

function upFor() {
  return duration(Math.floor(Math.max(0, now() - known.overview.startedAt) / 60_000) * 60_000 || 60_000).replace(/m0s$/, "m");
}

// Those that somebody may forget on the way: no middlebox stands between the machine and itself. Our own are not counted either:
// a gateway's are flows, and a measurement's are left to die. And what nobody holds, nobody waits for.
function beyondConnections() {
  return [...known.connections.values()].filter(c => c.state === "established" && !isLoopback(c) && c.owners?.length !== 0 && !c.owners?.some(o => o.command === "keepalive"));
}

// Who has the most of them, and how many.
function mostOf(connections) {
  const owners = new Map();
  for (const c of connections) {
    const owner = c.owners?.[0];
    if (!owner) continue;
    const entry = owners.get(owner.pid) ?? [ownerOf(c), owner.pid, 0];
    entry[2]++;
    owners.set(owner.pid, entry);
  }
  return [...owners.values()].sort((a, b) => b[2] - a[2])[0] ?? ["", null, 0];
}

export function ownerOf(connection) {
  const [first, ...others] = connection.owners ?? [];
  return first ? `${first.command}/${first.pid}${others.length ? ` +${others.length}` : ""}` : "-";
}

function isLoopback(connection) {
  return /^(\[?::1\]?|127\.|\[?::ffff:127\.)/.test(connection.remote ?? "");
}
