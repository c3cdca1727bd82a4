// A new job: what is learnt from what, checked while one types, and the same job as JSON and code.

import { all, get, onceOnly, send } from "/web/api.js";
import { calmly, field, fill, h, select, table } from "/web/dom.js";
import { count, duration, score, size } from "/web/format.js";
import { action, go, problemBox } from "/web/main.js";
import { copied, endpointOf, objectOf } from "/web/parts.js";
import { jobAsCurl, jobAsJson, jobAsPython } from "/web/snippets.js";
import { t } from "/web/words.js";

const PAUSE = 350;
const numbered = (value, min, max, placeholder) => h("input", { type: "number", value, min, max, placeholder });
const given = (control) => (control.value === "" ? undefined : Number(control.value));

function sourcesOf(datasets, models, catalogue, pretrained) {
  return [
    ...datasets.map((each) => [{ dataset: each.id }, each.name]),
    ...catalogue.map((each) => [{ dataset: each.reference }, each.title]),
    ...models.map((each) => [{ model: each.id }, `${each.name} (${t("model")})`]),
    ...pretrained.map((each) => [{ backbone: each.name, weights: each.weights }, `${each.name}, ${each.weights}`]),
  ];
}

/** The one other dataset of a kind, where there is just one: there is nothing to choose then. */
function onlyOther(datasets, target) {
  const kind = (each) => each?.schema?.inputs?.modality;
  const own = datasets.find((each) => each.id === target);
  const others = datasets.filter((each) => own && each !== own && kind(each) === kind(own));
  return others.length === 1 ? others[0].id : null;
}

function distances(found) {
  return found.flatMap((each, place) => (each
    ? Object.entries(each).filter(([, value]) => value !== null).map(([name, value]) => [`${t("source")} ${place + 1}: ${name}`, score(value)])
    : []));
}

function verdict(found) {
  const refused = found.strategies.filter((each) => each.reason);
  return [
    h("p.good", null, t("can_run", count(found.trials.length), duration(found.estimated_seconds)), found.estimate ? ` · ${size(found.estimate.memory_bytes)}` : ""),
    found.warnings.length > 0 && h("ul.warnings", null, found.warnings.map((each) => h("li", null, each))),
    found.columns?.flatMap((each) => each.similar ?? []).length > 0 && h("p.note", null, t("similar_columns")),
    distances(found.domain_distance).length > 0 && h("details", null, h("summary", null, t("how_far")), table(t("how_far"), [t("measure"), t("value")], distances(found.domain_distance))),
    found.selection.length > 0 && h("details", null, h("summary", null, t("chosen_for_you")), h("ul", null, found.selection.map((each) => h("li", null, h("code", null, each.field), `: ${JSON.stringify(each.chosen)} – ${each.reason}`)))),
    refused.length > 0 && h("details", null, h("summary", null, t("cannot_run", refused.length)), h("ul", null, refused.map((each) => h("li", null, h("b", null, each.name), ` – ${each.reason}`)))),
  ];
}

export async function show({ signal }) {
  const query = new URLSearchParams(location.hash.split("?")[1] ?? "");
  const [datasets, models, catalogue, strategies, backbones, deployments] = await Promise.all([
    all("/v1/datasets"), all("/v1/models"), get("/v1/catalog/datasets"), get("/v1/strategies"), get("/v1/catalog/backbones"), all("/v1/deployments")]);
  const ready = datasets.filter((each) => each.status === "ready");
  const here = new Set(ready.map((each) => each.origin));
  const more = catalogue.data.filter((each) => !here.has(each.reference));
  const pretrained = backbones.data.filter((each) => each.weights && ["installed", "cached"].includes(each.available) && each.modality === "image");
  const offered = sourcesOf(ready, models.filter((each) => each.status === "ready"), more, pretrained);
  const targets = [...ready.map((each) => [each.id, each.name]), ...more.map((each) => [each.reference, each.title])];
  if (!targets.length) return [h("h1", null, t("new_job")), h("p", null, h("a", { href: "#/datasets" }, t("bring_data")))];

  const checked = h("div", { role: "status" });
  const code = h("div");
  const submit = action(t("start_job"), begin, "primary");
  const first = targets.find(([id]) => id !== query.get("source")) ?? targets[0];
  const target = select(targets, query.get("target") ?? first[0], () => { proposeSource(); proposeEndpoint(); changed(); });
  const sources = h("div.boxes", { role: "group", "aria-label": t("sources") }, offered.map(([given, title], place) => h("label.check", null,
    h("input", { type: "checkbox", value: place, checked: [given.dataset, given.model].includes(query.get("source")), onchange: changed }), title)));
  const labels = numbered("", 1, 100000, t("all"));
  const hidden = h("input", { type: "checkbox", onchange: changed });
  const seeds = numbered(5, 1, 100);
  const epochs = numbered("", 1, 10000, t("by_itself"));
  const goal = h("input", { maxlength: 64, pattern: "[a-z0-9]([a-z0-9_\\-]*[a-z0-9])?", placeholder: t("no_endpoint") });
  const network = select([["auto", t("by_itself")], ...backbones.data.filter((each) => each.name !== "imported").map((each) => [each.name, `${each.name} – ${each.summary}`])], "auto", changed);
  const ways = h("div.boxes", { role: "group", "aria-label": t("strategies") }, strategies.data.map((each) => h("label.check", { title: each.summary }, h("input", { type: "checkbox", value: each.name, onchange: changed }), each.name)));
  const extra = h("textarea", { rows: 4, spellcheck: "false", placeholder: '{"training": {"augmentation": {"strength": "weak"}}}' });
  const name = h("input", { maxlength: 200 });
  const priority = select(["high", "normal", "low"].map((each) => [each, t(`priority_${each}`)]), "normal", changed);
  function proposeSource() {
    const boxes = [...sources.querySelectorAll("input")];
    const check = (id, checked) => { for (const box of boxes) if (offered[box.value][0].dataset === id) box.checked = checked; };
    check(target.value, false);
    if (!boxes.some((each) => each.checked)) check(onlyOther(ready, target.value), true);
  }
  let isOwn = false; // what stands as the endpoint is the user's
  function proposeEndpoint() {
    const proposed = endpointOf(targets.find(([id]) => id === target.value)[1]);
    if (!isOwn) goal.value = deployments.some((each) => each.name === proposed) ? "" : proposed;
  }
  goal.addEventListener("input", () => { isOwn = true; });
  proposeSource();
  proposeEndpoint();
  for (const each of [labels, seeds, epochs, goal, extra, name]) each.addEventListener("input", changed);

  function spec() {
    const picked = [...sources.querySelectorAll(":checked")].map((each) => offered[each.value][0]);
    const chosen = [...ways.querySelectorAll(":checked")].map((each) => each.value);
    return {
      ...(name.value && { name: name.value }),
      sources: picked,
      target: { dataset: target.value, ...(hidden.checked ? { use_labels: false } : given(labels) && { labels_per_class: given(labels) }) },
      ...(network.value !== "auto" && { model: { backbone: network.value } }),
      ...(chosen.length && { strategies: chosen }),
      ...(given(epochs) && { training: { epochs: given(epochs) } }),
      evaluation: { seeds: given(seeds) ?? 5 },
      ...(priority.value !== "normal" && { priority: priority.value }),
      ...(goal.value && { deploy: { name: goal.value, when: "best" } }),
      ...objectOf(extra.value),
    };
  }

  let asked = 0;
  const validate = calmly(PAUSE, async () => {
    const mine = ++asked;
    let body;
    try {
      body = spec();
    } catch (problem) {
      submit.disabled = true;
      return fill(checked, problemBox(problem));
    }
    fill(code, copied(jobAsJson(body), "JSON"), copied(jobAsCurl(body), "curl"), copied(jobAsPython(body), "Python"));
    if (body.sources?.length === 0) {
      submit.disabled = true;
      return fill(checked, h("p.note", null, t("choose_source")));
    }
    try {
      const found = await send("POST", "/v1/jobs/validate", body);
      if (mine === asked && !signal.aborted) fill(checked, verdict(found));
      submit.disabled = false;
    } catch (problem) {
      if (mine !== asked || signal.aborted) return undefined;
      submit.disabled = true;
      fill(checked, problemBox(problem));
    }
    return undefined;
  });

  function changed() {
    for (const box of sources.querySelectorAll("input")) box.closest("label").hidden = offered[box.value][0].dataset === target.value && !box.checked;
    validate();
  }

  async function begin() {
    const job = await send("POST", "/v1/jobs", spec(), onceOnly());
    go(`/jobs/${job.id}`);
  }

  submit.disabled = true;
  changed();
  return [h("h1", null, t("new_job")), h("div.split", null,
    h("form.panel", { onsubmit: (event) => event.preventDefault() },
      field(t("target"), target, t("target_hint")),
      h("fieldset", null, h("legend", null, t("sources")), h("p.note", null, t("sources_hint")), sources),
      field(t("labels_per_class"), labels, t("labels_hint")),
      field(t("endpoint"), goal, t("endpoint_hint")),
      h("details", null, h("summary", null, t("more_settings")),
        field(t("name"), name),
        h("label.check", null, hidden, t("without_labels")),
        field(t("network"), network),
        h("fieldset", null, h("legend", null, t("strategies")), h("p.note", null, t("strategies_hint")), ways),
        field(t("seeds"), seeds, t("seeds_hint")),
        field(t("epochs"), epochs),
        field(t("priority"), priority, t("priority_hint")),
        field(t("spec_json"), extra, t("job_json_hint"))),
      h("div.actions", null, submit)),
    h("section", null, h("h2", null, t("what_happens")), checked,
      h("details", null, h("summary", null, t("same_as_code")), code)))];
}
