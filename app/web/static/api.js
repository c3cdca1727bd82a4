// The public API, as any client sees it.

export const LOOK_AGAIN = 700;

let key = sessionStorage.getItem("ktl-key") ?? "";

/** Keeps the key until the tab is closed. */
export function useKey(given) {
  key = given.trim();
  if (key) sessionStorage.setItem("ktl-key", key);
  else sessionStorage.removeItem("ktl-key");
}

export const hasKey = () => key !== "";

/** A problem+json answer, or an API that did not answer (status 0). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? "");
    this.status = status;
    this.code = body.code ?? "unreachable";
    this.errors = body.errors ?? [];
  }
}

const authorised = () => (key ? { Authorization: `Bearer ${key}` } : {});

async function raised(answer) {
  const body = await answer.json().catch(() => ({ detail: answer.statusText, code: String(answer.status) }));
  const problem = new Problem(answer.status, body);
  if (answer.status === 401) dispatchEvent(new CustomEvent("ktl-key-needed", { detail: problem }));
  return problem;
}

/** Asks a route; returns the Response, or raises Problem. */
export async function ask(method, path, { body, headers = {}, signal } = {}) {
  const sent = { ...authorised(), ...headers };
  if (body !== undefined && !(body instanceof Blob) && !(body instanceof FormData)) {
    sent["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, { method, headers: sent, body, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, {});
  }
  if (!answer.ok) throw await raised(answer);
  return answer;
}

export async function get(path, options) {
  return (await ask("GET", path, options)).json();
}

export async function send(method, path, body, headers = {}) {
  const answer = await ask(method, path, { body, headers });
  return answer.status === 204 ? null : answer.json();
}

/** Headers of a request that is done once, however often it is sent. */
export const onceOnly = () => ({ "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) });

/** Asks a route until what it tells has succeeded or failed; each answer goes to `draw`. */
export async function watch(path, draw, signal) {
  for (;;) {
    const found = await get(path);
    draw(found);
    if (found.status === "succeeded" || found.status === "failed" || signal.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  }
}

/** A page of a listing, and the path of the next one. */
export async function page(path, limit = 50, after = null, filters = {}) {
  const query = new URLSearchParams({ limit, ...(after ? { after } : {}), ...filters });
  return get(`${path}?${query}`);
}

/** All pages of a listing, up to `most` entries. */
export async function all(path, most = 500) {
  const found = [];
  let after = null;
  do {
    const listed = await page(path, 100, after);
    found.push(...listed.data);
    after = listed.has_more ? listed.next : null;
  } while (after && found.length < most);
  return found;
}

/** Uploads files as one dataset or model; `onprogress` gets the share that was sent. */
export function upload(path, spec, files, onprogress) {
  const form = new FormData();
  form.append("spec", JSON.stringify(spec));
  for (const file of files) form.append("file", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.responseType = "json";
    for (const [name, value] of Object.entries(onceOnly())) request.setRequestHeader(name, value);
    for (const [name, value] of Object.entries(authorised())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onprogress(event.loaded / event.total);
    request.onerror = () => reject(new Problem(0, {}));
    request.onload = () => (request.status < 300
      ? resolve(request.response)
      : reject(new Problem(request.status, request.response ?? {})));
    request.send(form);
  });
}

const PAUSES = [500, 1000, 2000, 5000];

/**
 * Follows a job's events until its end. A connection that drops goes on after the last event that
 * was heard. `on(kind, data)` is called for each, `state(text)` with "live", "waiting" or "ended".
 */
export async function follow(jobId, { on, state, signal }) {
  let last = 0;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const headers = last ? { "Last-Event-ID": String(last) } : {};
      const answer = await ask("GET", `/v1/jobs/${encodeURIComponent(jobId)}/events?progress=true`, { headers, signal });
      state("live");
      let ended = false;
      for await (const event of events(answer.body)) {
        failures = 0;
        if (event.id) last = Number(event.id);
        on(event.kind, event.data);
        ended ||= event.kind === "status" && event.data.stage === "ended";
      }
      if (ended) return state("ended");
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status && error.status !== 429 && error.status < 500) throw error;
    }
    state("waiting");
    await new Promise((resolve) => setTimeout(resolve, PAUSES[Math.min(failures++, PAUSES.length - 1)]));
  }
}

async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const told = rest.split("\n\n");
    rest = told.pop();
    for (const text of told) {
      const event = {};
      for (const line of text.split("\n")) {
        const place = line.indexOf(": ");
        if (place > 0) event[line.slice(0, place)] = line.slice(place + 2);
      }
      if (event.data) yield { id: event.id, kind: event.event, data: JSON.parse(event.data) };
    }
  }
}
