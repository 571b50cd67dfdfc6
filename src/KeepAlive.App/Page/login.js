// Beyond loopback, whoever reads has to know the token. The cookie that it is changed for is not seen by scripts.

import { send } from "./api.js";
import { el, field, say } from "./dom.js";
import { start } from "./stream.js";

let isAsking = false;

export function askForToken() {
  if (isAsking) return;
  isAsking = true;
  const token = el("input", { type: "password", name: "token", required: true, autocomplete: "current-password" }), fault = el("p", { class: "fault", role: "alert" });
  const form = el("form", { method: "dialog", onsubmit: enter }, el("h2", {}, "The page's token"), field("Token", token), fault,
    el("p", { class: "actions" }, el("button", { type: "submit", class: "strong" }, "Open")));
  const dialog = el("dialog", { "aria-label": "The page's token", onclose: () => {
    isAsking = false;
    dialog.remove();
  } }, form);

  async function enter(e) {
    e.preventDefault();
    try {
      await send("POST", "/login", { token: token.value });
      dialog.close();
      start();
    } catch (error) {
      say(fault, error.message);
    }
  }

  document.body.append(dialog);
  dialog.showModal();
}
