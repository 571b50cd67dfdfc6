// Before the first paint, and therefore no module: those run after it, and a dark page would begin with a white flash.
"use strict";
{
  const choices = ["auto", "light", "dark"];
  const kept = () => {
    try { return localStorage.getItem("keepalive.theme"); } catch { return null; } // storage may be forbidden
  };
  const show = choice => {
    document.documentElement.dataset.theme = choice;
    const button = document.getElementById("theme");
    if (button) button.textContent = `Theme: ${choice}`;
    document.dispatchEvent(new Event("themechange"));
  };
  let choice = choices.includes(kept()) ? kept() : "auto";
  show(choice);
  document.addEventListener("DOMContentLoaded", () => {
    show(choice);
    document.getElementById("theme").addEventListener("click", () => {
      choice = choices[(choices.indexOf(choice) + 1) % choices.length];
      try { localStorage.setItem("keepalive.theme", choice); } catch { /* forgotten with the page, then */ }
      show(choice);
    });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(choice));
}
