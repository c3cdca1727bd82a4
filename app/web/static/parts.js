// Small pieces that several pages show.

import { h } from "/web/dom.js";
import { notice } from "/web/main.js";
import { t } from "/web/words.js";

const TONES = { succeeded: "good", ready: "good", failed: "bad", damaged: "bad", cancelled: "quiet", running: "busy", ingesting: "busy", importing: "busy", queued: "quiet", waiting: "quiet", paused: "quiet" };

export const statusBadge = (status) => h(`span.badge.${TONES[status] ?? "quiet"}`, null, t(`status_${status}`));

export const jobLink = (job) => h("a", { href: `#/jobs/${job.id}` }, job.name || job.id);

export const datasetLink = (dataset) => h("a", { href: `#/datasets/${dataset.id}` }, dataset.name);

/** Text to be copied, with its button. */
export function copied(text, label) {
  return h("figure.code", null, label && h("figcaption", null, label),
    h("pre", { tabindex: 0 }, h("code", null, text)),
    h("button.small", { type: "button", onclick: async () => {
      await navigator.clipboard.writeText(text);
      notice(t("copied"));
    } }, t("copy")));
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
