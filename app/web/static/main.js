// The frame of the dashboard: which page an address shows, and what stands on every page.

import { ask, hasKey, Problem, useKey } from "/web/api.js";
import { field, fill, h } from "/web/dom.js";
import { language, LANGUAGES, speak, t } from "/web/words.js";

const PAGES = [
  [/^\/$/, () => import("/web/pages/start.js")],
  [/^\/datasets$/, () => import("/web/pages/datasets.js")],
  [/^\/datasets\/([^/]+)$/, () => import("/web/pages/dataset.js")],
  [/^\/jobs$/, () => import("/web/pages/jobs.js")],
  [/^\/new$/, () => import("/web/pages/new_job.js")],
  [/^\/jobs\/([^/]+)$/, () => import("/web/pages/job.js")],
  [/^\/models$/, () => import("/web/pages/models.js")],
  [/^\/models\/([^/]+)$/, () => import("/web/pages/model.js")],
  [/^\/deployments\/([^/]+)$/, () => import("/web/pages/deployment.js")],
  [/^\/settings$/, () => import("/web/pages/settings.js")],
  [/^\/api$/, () => import("/web/pages/reference.js")],
];
const LINKS = [["/", "start"], ["/datasets", "datasets"], ["/jobs", "jobs"], ["/models", "models"], ["/api", "api"], ["/settings", "settings"]];

const UNLOADED = "unloaded";
const BACK_MS = 2000; // between looks whether the service is back

const main = document.getElementById("main");
let leaving = new AbortController();

/** Goes to an address of the dashboard. */
export function go(path) {
  location.hash = path;
}

/** Shows a sentence for some seconds; a screen reader says it. */
export function notice(text, kind = "good") {
  const shown = h(`p.notice.${kind}`, null, text);
  document.getElementById("notices").append(shown);
  setTimeout(() => shown.remove(), 6000);
}

/** A problem in words: what was expected and what came, and each finding at its place. */
export function problemBox(problem) {
  if (!(problem instanceof Problem)) {
    console.error(problem);
    return h("div.problem", { role: "alert" }, h("p", null, String(problem?.message ?? problem)));
  }
  const text = problem.status === 0 ? t("unreachable") : problem.message;
  const findings = problem.errors.filter((each) => each.detail !== problem.message);
  return h("div.problem", { role: "alert" }, h("p", null, text),
    findings.length > 0 && h("ul", null, findings.map((each) => h("li", null, each.pointer && h("code", null, each.pointer), " ", each.detail))));
}

/** Runs an action of a button, which is off meanwhile; a problem is shown beside it. */
export async function acting(button, action) {
  button.disabled = true;
  button.parentElement?.querySelector(":scope > .problem")?.remove();
  try {
    return await action();
  } catch (problem) {
    button.after(problemBox(problem));
    return undefined;
  } finally {
    button.disabled = false;
  }
}

/** Makes a button that runs an action. */
export const action = (label, run, kind = "") => {
  const button = h(`button${kind && `.${kind}`}`, { type: "button", onclick: () => acting(button, run) }, label);
  return button;
};

/** Asks before something is lost. */
export const sure = (question) => confirm(question);

function theme(chosen) {
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

function tools() {
  const chosen = localStorage.getItem("ktl-theme") ?? "system";
  const looks = h("select", { "aria-label": t("theme"), onchange: (event) => {
    localStorage.setItem("ktl-theme", event.target.value);
    theme(event.target.value);
  } }, ["system", "light", "dark"].map((each) => h("option", { value: each, selected: each === chosen }, t(`theme_${each}`))));
  const tongues = h("select", { "aria-label": t("language"), onchange: (event) => {
    speak(event.target.value);
    draw();
  } }, Object.entries(LANGUAGES).map(([code, name]) => h("option", { value: code, selected: code === language(), lang: code }, name)));
  return [looks, tongues];
}

function frame(path) {
  document.documentElement.lang = language();
  document.querySelector(".skip").textContent = t("skip");
  const here = `/${path.split("/")[1] ?? ""}`;
  const belongs = { "/new": "/jobs", "/deployments": "/models" }[here] ?? here;
  fill(document.getElementById("nav"), LINKS.map(([to, name]) => h("a", { href: `#${to}`, "aria-current": to === belongs && "page" }, t(name))));
  fill(document.getElementById("tools"), tools());
}

function askForKey(problem) {
  leaving.abort(); // what goes on asking would clear what is typed
  drawn += 1;
  const given = h("input", { type: "password", autocomplete: "off", required: true });
  fill(main, h("h1", null, t("key_needed")), hasKey() && problemBox(problem),
    h("form.panel", { onsubmit: (event) => {
      event.preventDefault();
      useKey(given.value);
      draw();
    } }, field(t("key"), given, t("key_hint")), h("button.primary", null, t("open"))));
  given.focus();
}

let drawn = 0;
let place = ""; // and language, of what is shown

/** What an address means; one that is no escaped text means itself. */
function meant(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Turns a page's script that did not come into a service that does not answer. */
function unloaded(error) {
  throw error instanceof TypeError ? new Problem(0, { code: UNLOADED }) : error;
}

/** Draws again once a service that did not answer does; browsers ask for a script but once. */
async function whenBack(signal, code) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, BACK_MS));
    if (signal.aborted) return undefined;
    if (await ask("GET", "/healthz", { signal }).catch(() => null)) return code === UNLOADED ? location.reload() : draw();
  }
}

async function draw() {
  const path = (location.hash.slice(1) || "/").split("?")[0];
  const mine = ++drawn;
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const isNew = place !== (place = `${language()} ${location.hash}`);
  if (isNew) frame(path);
  for (const [pattern, load] of PAGES) {
    const found = pattern.exec(path);
    if (!found) continue;
    try {
      const { show } = await load().catch(unloaded);
      const shown = await show({ id: found[1] && meant(found[1]), signal, redraw: draw });
      if (mine !== drawn) return;
      fill(main, shown);
      document.title = `${main.querySelector("h1")?.textContent ?? "ktl"} · ktl`;
      if (drawn > 1 && (isNew || document.activeElement === document.body)) main.focus({ preventScroll: true });
    } catch (problem) {
      if (mine !== drawn || problem.name === "AbortError") return;
      if (problem.status === 401) return askForKey(problem);
      fill(main, h("h1", null, t("went_wrong")), problemBox(problem), h("p", null, action(t("again"), draw)));
      if (problem.status === 0) whenBack(signal, problem.code);
    }
    return;
  }
  fill(main, h("h1", null, t("no_page")), h("p", null, h("a", { href: "#/" }, t("start"))));
}

addEventListener("hashchange", () => {
  scrollTo(0, 0);
  draw();
});
addEventListener("unhandledrejection", (event) => {
  if (!(event.reason instanceof Problem)) return;
  event.preventDefault();
  if (event.reason.status !== 401) notice(event.reason.status === 0 ? t("unreachable") : event.reason.message, "bad");
});
addEventListener("ktl-key-needed", (event) => event.detail && askForKey(event.detail));
theme(localStorage.getItem("ktl-theme") ?? "system");
draw();
