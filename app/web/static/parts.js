// Small pieces that several pages show.

import { page, Problem } from "/web/api.js";
import { fill, h, table, tableRows } from "/web/dom.js";
import { action, notice } from "/web/main.js";
import { t } from "/web/words.js";

const TONES = { succeeded: "good", ready: "good", failed: "bad", damaged: "bad", cancelled: "quiet", running: "busy", ingesting: "busy", importing: "busy", queued: "quiet", waiting: "quiet", paused: "quiet" };

export const statusBadge = (status) => h(`span.badge.${TONES[status] ?? "quiet"}`, null, t(`status_${status}`));

export const jobLink = (job) => h("a", { href: `#/jobs/${job.id}` }, job.name || job.id);

export const datasetLink = (dataset) => h("a", { href: `#/datasets/${dataset.id}` }, dataset.name);

/** Copies what an element shows. Plain http from another machine has no clipboard of its own: then
 * what is selected is copied, or stays selected. */
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}

/** Text to be copied, with its button. */
export function copied(text, label) {
  const code = h("code", null, text);
  return h("figure.code", null, label && h("figcaption", null, label),
    h("pre", { tabindex: 0 }, code),
    h("button.small", { type: "button", onclick: async () => notice(t(await copy(code) ? "copied" : "selected")) }, t("copy")));
}

/** A listing that grows page by page; `again()` begins anew, with the filters as they are then. */
export async function listing(path, { caption, titles, row, none, filters = () => ({}) }) {
  const shown = h("div");
  const further = h("div");
  let asked = 0;
  async function more(after) {
    const mine = ++asked;
    const got = await page(path, 50, after, filters());
    if (mine !== asked) return;
    const rows = got.data.map(row);
    if (after) shown.querySelector("tbody").append(...tableRows(rows));
    else fill(shown, rows.length ? table(caption, titles, rows) : h("p.note", null, none()));
    fill(further, got.has_more && h("p", null, action(t("more"), () => more(got.next))));
  }
  await more(null);
  return { element: h("div", null, shown, further), again: () => more(null) };
}

/** The object that somebody wrote as JSON; nothing is an empty one. Raises Problem. */
export function objectOf(text) {
  try {
    const found = JSON.parse(text.trim() || "{}");
    if (found?.constructor === Object) return found;
  } catch (error) {
    throw new Problem(422, { detail: t("no_json", error.message) });
  }
  throw new Problem(422, { detail: t("no_json", "{…}?") });
}

/** Bars of labels and shares, the largest first. */
export function bars(pairs, shown = (share) => share.toFixed(3)) {
  const most = Math.max(...pairs.map(([, share]) => share), 1e-9);
  return h("ul.bars", null, pairs.map(([label, share]) => h("li", null,
    h("span", null, label), h("span.track", { "aria-hidden": "true" }, h("span.share", { style: { width: `${(100 * Math.max(share, 0)) / most}%` } })), h("span.number", null, shown(share)))));
}

/** A progress bar that a screen reader can read. */
export function meter(label) {
  const bar = h("progress", { max: 1, "aria-label": label });
  return { element: bar, set: (share) => { bar.value = share; } };
}

/** A name for an endpoint, made of another thing's: small letters, digits and hyphens. */
export const endpointOf = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 63).replace(/^-|-$/g, "");
