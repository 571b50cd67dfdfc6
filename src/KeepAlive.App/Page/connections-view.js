// Every TCP connection of the machine with what its keepalive amounts to, worst first; and the way to change it.

import { el, put, say } from "./dom.js";
import { Grid, madeColumn, textColumn } from "./grid.js";
import { ADVISED, ownerOf } from "./headline.js";
import { inWords, specOf } from "./policy.js";
import { changePolicy } from "./policy-dialog.js";
import { VERDICTS, badge } from "./shapes.js";
import { known, now, subscribe } from "./store.js";
import { count, duration, number, setting } from "./words.js";

const RANK = Object.fromEntries(Object.keys(VERDICTS).map((name, i) => [name, i]));
const WRONG = new Set(["stuck", "probing", "unnoticed", "armedlate", "tooslow", "ignored"]);
const REFRESH_MS = 250;

/** For how long nothing came: data or acknowledgement. Figures are those of the moment they were read at. */
function silence(c, at) {
  const since = Math.min(c.sinceReceivedMs ?? Infinity, c.sinceAckMs ?? Infinity);
  return Number.isFinite(since) && c.state !== "listening" ? since + Math.max(0, at - c.readAt) : null;
}

const byVerdict = (a, b) => (RANK[a.verdict] ?? 99) - (RANK[b.verdict] ?? 99) || (silence(b, 0) ?? -1) - (silence(a, 0) ?? -1) || String(a.id).localeCompare(String(b.id), "en", { numeric: true });
const byText = read => (a, b) => read(a).localeCompare(read(b), "en", { numeric: true });

export function connectionsView(parameters) {
  const search = el("input", { type: "search", placeholder: "program, pid, address", "aria-label": "Search connections", oninput: () => refill() });
  const verdict = el("select", { "aria-label": "Verdict", onchange: () => refill() },
    [["", "any verdict"], ["wrong", "what is wrong"], ["stuck", "stuck"], ["probing", "probing"], ["unnoticed", "dies unnoticed"], ["armedlate", "armed late"], ["tooslow", "too slow"], ["ignored", "ignored"], ["unknown", "unknown"], ["ok", "ok"], ["listener", "listeners"]]
      .map(([value, text]) => el("option", { value }, text)));
  const shown = el("span", { class: "shown", role: "status" }), words = el("span", { class: "words" });
  const side = el("aside", { class: "side", "aria-label": "Details of a connection", hidden: true });
  let timer = null, opened = null, wish = null;

  const grid = new Grid({ label: "Connections of this machine", kind: "connections", columns: columns(), key: c => String(c.id), now, onOpen: open, onPoint: point, onSort: refill });
  const element = el("div", { class: "view" },
    el("div", { class: "bar", role: "search" }, search, verdict, shown),
    el("div", { class: "split" }, grid.element, side),
    el("p", { class: "foot" }, words, el("span", { class: "note" }, "Worst first. A row opens what can be done.")));

  function refill() {
    const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean), rows = [];
    for (const c of known.connections.values()) {
      if (verdict.value === "wrong" ? !WRONG.has(c.verdict) : verdict.value && c.verdict !== verdict.value) continue;
      if (wanted.length && !wanted.every(word => `${ownerOf(c)} ${c.local} ${c.remote} ${c.state} ${c.text} ${specOf(c)}`.toLowerCase().includes(word))) continue;
      rows.push(c);
    }
    grid.show(grid.order(rows, byVerdict));
    say(shown, rows.length === known.connections.size ? count(rows.length, "connection") : `${number(rows.length)} of ${count(known.connections.size, "connection")}`);
    if (rows.length > 0) grid.explain();
    else if (!known.has.has("connections")) grid.explain(el("p", {}, "Reading the sockets of this machine ..."));
    else if (known.connections.size > 0) grid.explain(el("p", {}, verdict.value === "wrong" ? "Nothing is wrong with any of them." : "No connection is like that."), el("button", { type: "button", onclick: clear }, "Show all"));
    else grid.explain(el("p", {}, "No TCP connection is open, or none that this user may see."), el("p", {}, "keepalive up as root sees every program's."));
    if (opened) showSide();
    if (wish) fulfil();
  }

  function clear() {
    search.value = verdict.value = "";
    refill();
    search.focus();
  }

  function open(c) {
    opened = c;
    grid.opened = String(c.id);
    side.hidden = false;
    element.toggleAttribute("data-side", true);
    showSide(true);
    side.firstChild.focus({ preventScroll: true });
    refill();
  }

  function close() {
    opened = grid.opened = null;
    side.hidden = true;
    element.toggleAttribute("data-side", false);
    grid.focus();
  }

  let sign = "";
  function showSide(isNew = false) {
    opened = known.connections.get(String(opened.id)) ?? opened;
    const said = JSON.stringify([opened.id, opened.verdict, specOf(opened), opened.userTimeoutMs, known.connections.has(String(opened.id))]);
    if (!isNew && said === sign) return;
    sign = said;
    const hadFocus = side.contains(document.activeElement) ? [...side.querySelectorAll("button")].indexOf(document.activeElement) : -2;
    put(side, details(opened, close));
    if (hadFocus >= -1) ([...side.querySelectorAll("button")][hadFocus] ?? side.firstChild).focus({ preventScroll: true });
  }

  async function point(c) {
    const spec = specOf(c), text = await inWords(spec);
    say(words, text && text !== spec ? `${spec}: ${text}` : "");
  }

  // A link of the headline names a process whose policy is to be changed.
  function fulfil() {
    const c = [...known.connections.values()].find(one => one.owners?.some(o => String(o.pid) === wish) && WRONG.has(one.verdict));
    if (!c) return;
    wish = null;
    changePolicy(c, { isProcess: true, spec: ADVISED });
  }

  function goTo(p) {
    if (p.has("verdict")) verdict.value = p.get("verdict");
    wish = p.get("change");
    if (wish) history.replaceState(null, "", `#/connections?verdict=${verdict.value}`); // else coming back would ask again
    refill();
    return true;
  }

  const stop = subscribe(["connections"], () => {
    timer ??= setTimeout(() => {
      timer = null;
      refill();
    }, REFRESH_MS);
  });
  goTo(parameters);
  return {
    element, goTo, tick: at => grid.refresh(at),
    dispose: () => {
      stop();
      clearTimeout(timer);
      grid.dispose();
    },
  };
}

function columns() {
  return [
    madeColumn("verdict", "Verdict", c => `${c.verdict} ${c.text}`, c => badge(VERDICTS[c.verdict] ?? VERDICTS.passing, c.text ?? c.verdict), byVerdict),
    textColumn("owner", "Owner", ownerOf, byText(ownerOf)),
    textColumn("ends", "Local → peer", c => c.state === "listening" ? `${c.local} listens` : `${c.local} → ${c.remote}`, byText(c => `${c.remote} ${c.local}`)),
    textColumn("keepalive", "Keepalive", specOf, byText(specOf)),
    textColumn("timeout", "User timeout", c => c.userTimeoutMs > 0 ? setting(c.userTimeoutMs) : "-", (a, b) => (a.userTimeoutMs || Infinity) - (b.userTimeoutMs || Infinity)),
    textColumn("silence", "Silent", (c, at) => duration(silence(c, at)), (a, b) => (silence(b, 0) ?? -1) - (silence(a, 0) ?? -1)),
  ];
}

function details(c, onClose) {
  const owner = c.owners?.[0], isGone = !known.connections.has(String(c.id));
  const rows = [
    ["local", c.local], ["peer", c.state === "listening" ? "-" : c.remote], ["state", isGone ? "gone meanwhile" : c.state],
    ["owners", (c.owners ?? []).map(o => `${o.command}/${o.pid}`).join(", ") || "-"],
    ["keepalive", specOf(c)], ["user timeout", c.userTimeoutMs > 0 ? setting(c.userTimeoutMs) : "-"],
    ["timer", c.timer && c.timer !== "-" ? c.timer : "none"], ["unanswered", String(c.unanswered ?? 0)],
  ];
  return el("section", { class: "details", tabindex: -1, "aria-label": "Connection", onkeydown: e => e.key === "Escape" && (e.stopPropagation(), onClose()) },
    el("header", {}, el("h2", {}, c.state === "listening" ? "Listener" : "Connection"), el("button", { type: "button", class: "quiet", onclick: onClose }, "Close")),
    el("p", { class: "state" }, badge(VERDICTS[c.verdict] ?? VERDICTS.passing, c.text ?? c.verdict)),
    el("p", { class: "actions" },
      el("button", { type: "button", class: "strong", disabled: isGone, onclick: () => changePolicy(c, {}) }, "Change its policy"),
      owner && el("button", { type: "button", disabled: isGone, onclick: () => changePolicy(c, { isProcess: true }) }, `All of ${owner.command}/${owner.pid}`)),
    el("dl", { class: "figures" }, rows.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    owner && [el("h3", {}, "The same in a terminal"), el("pre", {}, `keepalive apply ${ADVISED} --pid ${owner.pid}`)]);
}
