// The HTTP API, by fetch. A failure becomes an Error whose message can be shown as it is.

export async function get(path) {
  return answer(await call(path, { headers: { Accept: "application/json" } }));
}

/** Writes: from this page only, which the header says and the server checks. */
export async function send(method, path, body = undefined) {
  return answer(await call(path, {
    method,
    headers: { "Content-Type": "application/json", "X-KeepAlive": "page", Accept: "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  }));
}

async function call(path, options) {
  try {
    return await fetch(path, { ...options, credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new Error("keepalive up does not answer: is it running?");
  }
}

async function answer(response) {
  const text = await response.text();
  let body = null;
  try { body = text ? JSON.parse(text) : {}; } catch { /* a plain text, then */ }
  if (response.ok) return body ?? {};
  const faults = body?.faults ?? [body?.fault ?? body?.detail ?? body?.title].filter(Boolean);
  const error = new Error(faults.map(faultText).join("; ") || (body ? "" : text.trim()) || `the answer is ${response.status} ${response.statusText}`);
  error.status = response.status;
  throw error;
}

function faultText(fault) {
  return typeof fault === "string" ? fault : fault.text ?? JSON.stringify(fault);
}
