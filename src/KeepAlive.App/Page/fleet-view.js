// The fleet: its policy, what is on its way, the machines, flows that are dying on any of them, and what was before.

import { el, put, say } from "./dom.js";
import { watchFleet } from "./fleet.js";
import { Grid, madeColumn, textColumn } from "./grid.js";
import { FLOW_STATES, badge } from "./shapes.js";
import { known, now, subscribe } from "./store.js";
import { count, day, duration, number, setting, time } from "./words.js";

const OUTCOMES = {
  set: [{ tone: "good", shape: "disc" }, "set for all"],
  canary: [{ tone: "info", shape: "ring" }, "on its way"],
  through: [{ tone: "good", shape: "disc" }, "through to all"],
  rolledBack: [{ tone: "bad", shape: "cross" }, "rolled back"],
  unreadable: [{ tone: "off", shape: "question" }, "unreadable"],
};

const NO_FLEET = ["This daemon is in no fleet. Start it with ", "keepalive up --fleet ETCD", ", and all machines that are started so have one policy and are shown here."];

export function fleetView() {
  const machines = new Grid({ label: "Machines", kind: "machines", columns: machineColumns(), key: m => m.machine, now, onSort: () => show() });
  const head = el("div", { class: "cards" }), flows = el("div", {}), history = el("div", {}), shown = el("span", { class: "note" });
  const element = el("div", { class: "view scrolls fleet" }, head,
    el("section", {}, el("h2", {}, "Machines ", shown), machines.element),
    el("section", {}, el("h2", {}, "Flows that need a look"), flows),
    el("section", {}, el("h2", {}, "Policies before"), history));
  const signs = new Map();
  let fault = null;

  function show() {
    const f = known.fleet;
    element.toggleAttribute("data-none", !f?.isMember);
    if (!f?.isMember) {
      draw(head, [f], () => el("div", { class: "empty" }, f ? [NO_FLEET[0], el("code", {}, NO_FLEET[1]), NO_FLEET[2]] : el("p", {}, fault ?? "Waiting for keepalive up ...")));
      return;
    }
    const all = f.machines ?? [];
    draw(head, [f.policy, f.rollout, f.notes, f.isJoined, f.machine, f.fleet, all.map(m => [m.policy, m.refused?.policy, m.fault]), fault], () => [standing(f, all, fault), policyCard(f.policy), f.rollout && rolloutCard(f.rollout)]);
    draw(flows, [f.flows, f.dead, f.probing], () => flowTable(f));
    draw(history, [f.history], () => historyTable(f.history ?? []));
    say(shown, f.readAt ? count(all.length, "machine") : "");
    machines.show(machines.order([...all], undefined));
    machines.element.style.height = `${Math.min(420, 40 + Math.max(2, all.length) * machines.height || 120)}px`;
    machines.refresh(now());
  }

  // Anew only where it says something else: who is reading or selecting is not disturbed.
  function draw(place, what, make) {
    const sign = JSON.stringify(what);
    if (signs.get(place) === sign) return;
    signs.set(place, sign);
    put(place, make());
  }

  const stop = subscribe(["fleet"], show), end = watchFleet(why => {
    fault = why;
    if (why) show();
  });
  show();
  return {
    element, tick: t => machines.refresh(t),
    dispose: () => {
      stop();
      end();
      machines.dispose();
    },
  };
}

// Where this daemon stands, and what is wrong with that.
function standing(f, all, fault) {
  const having = f.policy ? all.filter(m => m.policy === f.policy.number).length : 0, refusing = all.filter(m => m.refused), unread = all.filter(m => m.fault);
  return el("article", { class: "card" },
    el("h2", {}, `Fleet ${f.fleet}`),
    el("p", { class: "states" }, badge(f.isJoined ? { tone: "good", shape: "disc" } : { tone: "warn", shape: "up" }, f.isJoined ? "etcd answers" : "etcd does not answer"), el("span", {}, `this is ${f.machine}`)),
    f.policy && el("p", {}, `${number(having)} of ${count(all.length, "machine")} ${having === 1 ? "has" : "have"} policy ${f.policy.number}`),
    refusing.length > 0 && el("p", {}, badge({ tone: "bad", shape: "cross" }, `${count(refusing.length, "machine")}: a policy refused`)),
    unread.length > 0 && el("p", {}, badge({ tone: "bad", shape: "question" }, `${count(unread.length, "machine")}: cannot be read`)),
    [fault, ...f.notes ?? []].filter(Boolean).map(note => el("p", { class: "note" }, `${note}${f.readAt ? `; this is of ${time(f.readAt)}` : ""}`)));
}

function policyCard(policy) {
  if (!policy) return el("article", { class: "card" }, el("h2", {}, "No policy is in force"), el("p", { class: "text" }, el("code", {}, "keepalive fleet policy set FILE"), " sets one for all machines."));
  return el("article", { class: "card" }, el("h2", {}, `Policy ${policy.number}`), said(policy),
    el("details", {}, el("summary", {}, "What it says"), el("pre", {}, policy.text ?? "")));
}

function rolloutCard(rollout) {
  return el("article", { class: "card" }, el("h2", {}, `Policy ${rollout.number}, on its way`), said(rollout),
    el("p", {}, `${number(rollout.taken)} of ${count(rollout.canaries, "canary", "canaries")} ${rollout.taken === 1 ? "has" : "have"} it, of ${count(rollout.machines, "machine")}`),
    el("progress", { max: rollout.observeMs, value: rollout.observedMs, "aria-label": "Watched" }),
    el("p", { class: "note" }, `watched for ${duration(rollout.observedMs)} of ${setting(rollout.observeMs)}: ${rollout.text ?? ""}`));
}

function said(policy) {
  return [el("p", { class: "text" }, policy.comment || "no comment"), el("p", { class: "note" }, `set by ${policy.by}, ${day(policy.setAt)}`)];
}

function flowTable(f) {
  const rows = f.flows ?? [], all = (f.dead ?? 0) + (f.probing ?? 0);
  if (all === 0 && rows.length === 0) return el("p", { class: "note" }, f.readAt ? "None: every flow of every machine answers." : "");
  return [
    el("p", { class: "states" }, badge(FLOW_STATES.dead, `${number(f.dead)} died in the last minute`), badge(FLOW_STATES.probing, `${number(f.probing)} probing`)),
    table("Dying flows", ["State", "Machine", "Gateway", "Silent", "Client", "Server"], rows.map(r => [
      badge(FLOW_STATES[r.state] ?? { tone: "off", shape: "question" }, r.state + (r.state === "probing" && r.unanswered ? `, ${number(r.unanswered)} unanswered` : "")),
      r.machine, r.gateway, r.state === "dead" ? "" : duration(r.silentMs), el("code", {}, r.client), el("code", {}, r.server)])),
    all > rows.length && el("p", { class: "note" }, `${count(all - rows.length, "flow")} more: a machine tells of its worst only; its own page shows all.`)];
}

function historyTable(records) {
  if (records.length === 0) return el("p", { class: "note" }, "None was set yet.");
  return table("History", ["Policy", "Outcome", "Set", "By", "Why", "Comment"], records.map(r => {
    const [look, word] = OUTCOMES[r.outcome] ?? [{ tone: "off", shape: "question" }, r.outcome];
    return [number(r.number), badge(look, word), day(r.setAt), r.by, r.why, r.comment];
  }));
}

function table(label, head, rows) {
  return el("div", { class: "tablebox" }, el("table", { class: "told", "aria-label": label }, el("thead", {}, el("tr", {}, head.map(title => el("th", { scope: "col" }, title)))), el("tbody", {}, rows.map(row => el("tr", {}, row.map(cell => el("td", {}, cell)))))));
}

function machineColumns() {
  return [
    madeColumn("name", "Machine", m => `${m.machine}|${m.isCanary}`, m => [m.machine, m.isCanary && el("span", { class: "note" }, " canary")], by(m => m.machine)),
    madeColumn("has", "Policy", m => JSON.stringify([m.policy, m.refused, m.fault]), policyOf, by(m => m.refused || m.fault ? -1 : m.policy)),
    madeColumn("states", "Flows", m => JSON.stringify(m.flows), m => Object.keys(FLOW_STATES).filter(s => m.flows?.[s]).map(s => badge(FLOW_STATES[s], `${number(m.flows[s])} ${s}`)), by(m => -Object.values(m.flows ?? {}).reduce((a, b) => a + b, 0))),
    textColumn("num", "Deaths", m => m.deaths === undefined ? "" : number(m.deaths), by(m => -(m.deaths ?? 0))),
    textColumn("num", "Gateways", m => m.gateways === undefined ? "" : number(m.gateways), by(m => -(m.gateways ?? 0))),
    textColumn("up", "Up for", (m, t) => m.startedAt ? duration(Math.max(10_000, t - m.startedAt)) : "", by(m => m.startedAt ?? 0)),
    textColumn("version", "Version", m => (m.version ?? "").split("+")[0], by(m => m.version ?? "")),
  ];
}

function policyOf(m) {
  if (m.fault) return badge({ tone: "bad", shape: "question" }, `unknown: ${m.fault}`);
  const has = m.policy > 0 ? String(m.policy) : "none";
  return m.refused ? badge({ tone: "bad", shape: "cross" }, `${has}, refused ${m.refused.policy}: ${m.refused.why}`) : has;
}

function by(of) {
  return (a, b) => of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0;
}
