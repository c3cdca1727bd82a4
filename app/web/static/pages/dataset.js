// One dataset: what was found in it and why, what may be wrong with it, what it looks like.

import { ask, get, LOOK_AGAIN, send, watch } from "/web/api.js";
import { facts, field, fill, h, once, select, table } from "/web/dom.js";
import { count, kindOf, moment, score } from "/web/format.js";
import { action, go, problemBox, sure } from "/web/main.js";
import { itemCard } from "/web/items.js";
import { bars, statusBadge } from "/web/parts.js";
import { sentFor, uploadForm } from "/web/uploading.js";
import { t } from "/web/words.js";

const AT_ONCE = 24;
const MOST_BARS = 30;

function preview(dataset) {
  const splits = Object.entries(dataset.schema.splits).filter(([, items]) => items);
  const shown = h("ul.items");
  const place = h("span.note");
  let split = splits[0][0];
  let offset = 0;
  async function draw() {
    const found = await get(`/v1/datasets/${dataset.id}/preview?split=${split}&offset=${offset}&limit=${AT_ONCE}`);
    fill(shown, found.data.map(itemCard));
    fill(place, ` ${count(offset + 1)}–${count(offset + found.data.length)} / ${count(found.total)} `);
    back.disabled = offset === 0;
    on.disabled = offset + found.data.length >= found.total;
    on.step = found.data.length;
  }
  const move = (by) => async () => {
    offset = Math.max(0, offset + by());
    await draw();
    back.disabled = offset === 0;
  };
  const back = h("button.small", { type: "button", onclick: move(() => -AT_ONCE) }, t("back"));
  const on = h("button.small", { type: "button", onclick: move(() => on.step ?? AT_ONCE) }, t("on"));
  const which = select(splits.map(([name, items]) => [name, `${t(`split_${name}`)} (${count(items)})`]), split, (chosen) => {
    split = chosen;
    offset = 0;
    return draw();
  });
  draw().catch((problem) => fill(shown, h("li", null, problemBox(problem))));
  return h("section", null, h("h2", null, t("preview")), h("div.filter", null, field(t("split"), which), back, place, on), shown);
}

function balance({ schema }) {
  const names = schema.task.classes ?? schema.task.labels;
  const counts = schema.class_counts?.train;
  if (!names || !counts) return null;
  const pairs = names.map((name, place) => [name, counts[place]]);
  return h("section", null, h("h2", null, t("balance")), bars(pairs.slice(0, MOST_BARS), count),
    pairs.length > MOST_BARS && h("p.note", null, t("and_more", pairs.length - MOST_BARS)));
}

function columns({ schema }) {
  if (!schema.columns?.length) return null;
  return h("section", null, h("h2", null, t("columns")), h("p.note", null, t("columns_how")),
    table(t("columns"), [t("name"), t("kind"), t("role"), t("why")], schema.columns.map((each) => [each.name, `${each.kind}${each.unit && `, ${each.unit}`}`, each.role, each.reason])));
}

function derive(dataset) {
  const inferred = dataset.schema.inputs.columns ?? [];
  const choices = [
    ...inferred.filter((each) => each.kind === "category" || each.kind === "flag").map((each) => [`where:${each.name}`, each.name, each.values ?? []]),
    ...(dataset.schema.task.classes ? [["classes", t("classes"), dataset.schema.task.classes]] : []),
  ];
  if (!choices.length) return null;
  const name = h("input", { value: `${dataset.name.slice(0, 198)} 2`, maxlength: 200 });
  const boxes = h("div.boxes");
  let chosen = choices[0];
  const draw = () => fill(boxes, chosen[2].slice(0, 200).map((value) => h("label.check", null, h("input", { type: "checkbox", value: String(value) }), String(value))));
  draw();
  const make = async () => {
    const picked = [...boxes.querySelectorAll(":checked")].map((each) => each.value);
    const narrowed = chosen[0] === "classes" ? { classes: picked } : { where: { [chosen[1]]: picked } };
    const made = await send("POST", "/v1/datasets", { name: name.value, from: dataset.id, ...narrowed });
    go(`/datasets/${made.id}`);
  };
  return h("details.section", null, h("summary", null, t("derive")), h("p.note", null, t("derive_how")),
    field(t("by"), select(choices.map(([key, title]) => [key, title]), chosen[0], (key) => {
      chosen = choices.find((each) => each[0] === key);
      draw();
    })), boxes, field(t("name"), name), h("p", null, action(t("derive_do"), make)));
}

function audit(dataset, signal) {
  if (dataset.schema.task.kind !== "classification") return null;
  const told = h("div");
  const path = `/v1/datasets/${dataset.id}/audit`;
  function draw(found) {
    if (found.status === "failed") return fill(told, h("p.warn", null, found.error?.message));
    if (found.status !== "succeeded") return fill(told, h("p", { role: "status" }, t("looking")));
    return fill(told, h("p", null, t("suspects", count(found.suspects), count(found.items))),
      found.data.length > 0 && table(t("audit"), [t("item"), t("label"), t("proposed"), t("score")], found.data.map((each) => [`${t(`split_${each.split}`)} ${each.index}`, each.label, each.proposed, score(each.score)])));
  }
  const before = once(() => get(`${path}?limit=50`).then(draw, () => null)); // 404: never looked
  return h("details.section", { ontoggle: before }, h("summary", null, t("audit")), h("p.note", null, t("audit_how")), h("p", null, action(t("audit_do"), async () => {
    await send("POST", path);
    await watch(`${path}?limit=50`, draw, signal);
  })), told);
}

async function failed(dataset) {
  const kept = sentFor(dataset.id);
  return [h("div.problem", { role: "alert" }, h("p", null, dataset.error?.message ?? t("failed")),
    dataset.error?.errors?.length > 1 && h("ul", null, dataset.error.errors.map((each) => h("li", null, each.detail)))),
  kept ? [h("h2", null, t("send_again")), await uploadForm(kept.files, kept.spec)] : h("p", null, h("a", { href: "#/datasets" }, t("send_again_how")))];
}

export async function show({ id, signal, redraw }) {
  const dataset = await get(`/v1/datasets/${encodeURIComponent(id)}`);
  const head = h("div.head", null, h("h1", null, dataset.name), statusBadge(dataset.status));
  if (dataset.status === "ingesting") {
    setTimeout(() => signal.aborted || redraw(), LOOK_AGAIN);
    return [head, h("p", { role: "status" }, t("ingesting")), h("progress", { "aria-label": t("ingesting") })];
  }
  const remove = action(t("delete"), async () => {
    if (!sure(t("delete_sure", dataset.name))) return;
    await ask("DELETE", `/v1/datasets/${dataset.id}`);
    go("/datasets");
  }, "danger");
  if (!dataset.schema) return [head, await failed(dataset), h("p.actions", null, remove)];
  const warnings = dataset.profile?.warnings ?? [];
  return [head,
    h("p.actions", null,
      h("a.button.primary", { href: `#/new?target=${dataset.id}` }, t("as_target")),
      h("a.button", { href: `#/new?source=${dataset.id}` }, t("as_source")), remove),
    facts([[t("what"), kindOf(dataset.schema)], [t("split_train"), count(dataset.schema.splits.train)], [t("split_test"), count(dataset.schema.splits.test)], [t("origin"), dataset.origin], [t("added"), moment(dataset.created_at)],
      [t("same_as"), dataset.same_as?.length ? dataset.same_as.map((each) => [h("a", { href: `#/datasets/${each.id}` }, each.name), " "]) : null], ["id", h("code", null, dataset.id)]]),
    dataset.profile?.task?.reason && h("p.note", null, t("decided", t(`task_${dataset.schema.task.kind}`), dataset.profile.task.reason)),
    warnings.length > 0 && h("section.warnings", null, h("h2", null, t("warnings")), h("ul", null, warnings.map((each) => h("li", null, each)))),
    preview(dataset), balance(dataset), columns(dataset), derive(dataset), audit(dataset, signal)];
}
