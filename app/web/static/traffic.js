// What a deployment is asked, live: numbers of a window, and its answers beside those that its model is known by.

import { get } from "/web/api.js";
import { fill, h, select, table } from "/web/dom.js";
import { count, percent, score } from "/web/format.js";
import { t } from "/web/words.js";

const EVERY = 5000;
const SHOWN = 8;

const milliseconds = (seconds) => (seconds === null ? "–" : `${score(1000 * seconds)} ms`);
const errorsOf = (errors) => Object.entries(errors).map(([status, number]) => `${count(number)} × ${status}`).join(", ") || "–";

function sentences({ drift, doubts, answers }) {
  const when = t(`reference_${drift.reference}`);
  const told = [];
  if (drift.standing === "no_reference" || !drift.items) told.push(["note", t("drift_nothing")]);
  else if (drift.standing === "too_few") told.push(["note", t("drift_few", count(drift.items), count(drift.reference_items))]);
  else if (drift.standing === "drifted" && !answers.length) told.push(["warn", t("drift_beside", percent(drift.distance))]);
  else if (drift.standing === "drifted") told.push(["warn", t("drift_bad", when, percent(answers[0].share), answers[0].answer, percent(answers[0].reference_share))]);
  else told.push(["good", t("drift_good", when)]);
  if (drift.confidence_standing === "drifted") told.push(["warn", t("drift_sure", percent(drift.confidence), percent(drift.reference_confidence))]);
  for (const each of doubts) told.push([each.share > 0.05 ? "warn" : "note", t("drift_doubt", percent(each.share), t(`doubt_${each.code}`))]);
  return told.map(([tone, words]) => h(`p.${tone}`, null, words));
}

function pairs(answers, leftOff) {
  const most = Math.max(...answers.flatMap((each) => [each.share, each.reference_share ?? 0]), 1e-9);
  const bar = (share, kind) => h(`span.share.${kind}`, { style: { width: `${(100 * share) / most}%` } });
  return h("ul.bars.pairs", null,
    answers.slice(0, SHOWN).map((each) => h("li", null,
      h("span", null, each.answer),
      h("span.track", { "aria-hidden": "true" }, each.reference_share !== null && bar(each.reference_share, "then"), bar(each.share, "now")),
      h("span.number", null, percent(each.share), each.reference_share !== null && h("small", null, ` ${t("then", percent(each.reference_share))}`)))),
    leftOff + answers.length > SHOWN && h("li.note", null, t("and_more", leftOff + answers.length - SHOWN)));
}

const windowOf = (model, name) => model.windows.find((each) => each.window === name);

function drawn({ models, canary }, name) {
  const rows = models.map((model) => {
    const seen = windowOf(model, name);
    return [h("a", { href: `#/models/${model.model}` }, model.model_name), t(`role_${model.role}`), count(seen.requests), count(seen.items), errorsOf(seen.errors), milliseconds(seen.p50_seconds), milliseconds(seen.p99_seconds)];
  });
  return [
    table(t("traffic"), ["model", "role", "requests", "items", "errors", "p50", "p99"].map((each) => t(each)), rows),
    canary && h("div", null, h("h3", null, t("canary_beside")), sentences({ drift: canary, doubts: [], answers: [] })),
    models.filter((model) => windowOf(model, name).requests || model.role === "current").map((model) => {
      const seen = windowOf(model, name);
      return h("div", null, h("h3", null, model.model_name, " · ", t(`role_${model.role}`)), sentences(seen), seen.drift.items > 0 && pairs(seen.answers, seen.answers_left_off));
    }),
  ];
}

/** Makes a section that asks again every few seconds, until the page is left; hidden tabs rest. */
export function trafficView(path, signal) {
  const shown = h("div");
  let name = "hour";
  let last;
  const draw = () => last && fill(shown, drawn(last, name));
  const choice = select(["minute", "hour", "day"].map((each) => [each, t(`last_${each}`)]), name, (chosen) => {
    name = chosen;
    draw();
  });
  choice.setAttribute("aria-label", t("traffic"));
  let before;
  const look = async () => {
    if (!document.hidden) {
      const found = await get(`${path}/traffic`, { signal }).catch(() => null); // asked again soon
      const text = JSON.stringify(found);
      if (found && text !== before) {
        last = found;
        before = text;
        draw();
      }
    }
    if (!signal.aborted) setTimeout(look, EVERY);
  };
  look();
  return h("section", null, h("div.head", null, h("h2", null, t("traffic")), choice), shown);
}
