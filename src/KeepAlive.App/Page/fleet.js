// Whether the daemon is in a fleet, and what it told of it last. Asked for while somebody looks: each answer costs etcd a read.

import { get } from "./api.js";
import { tell } from "./store.js";

const EVERY_MS = 2000;

/** Asks once, for the frame: is there anything to show? */
export async function askForFleet() {
  try {
    tell("fleet", await get("/api/v1/fleet"));
  } catch { /* asked again when the daemon answers */ }
}

/** Asks again and again, one after the other, until the returned function is called. Nothing is asked while the page is hidden. */
export function watchFleet(onFault) {
  let timer = null, isOver = false;
  async function ask() {
    if (!document.hidden) {
      try {
        tell("fleet", await get("/api/v1/fleet"));
        onFault(null);
      } catch (error) {
        onFault(error.message);
      }
    }
    if (!isOver) timer = setTimeout(ask, EVERY_MS);
  }
  ask();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
