// One model: its card, its files, the names that serve it.

import { ask, get, send } from "/web/api.js";
import { facts, field, h } from "/web/dom.js";
import { kindOf, moment, score } from "/web/format.js";
import { action, go, sure } from "/web/main.js";
import { endpointOf, statusBadge } from "/web/parts.js";
import { save } from "/web/report_view.js";
import { deploymentLink } from "/web/pages/models.js";
import { t } from "/web/words.js";

function shown(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return score(value);
  if (Array.isArray(value)) return value.length > 12 ? t("so_many", value.length) : value.map(shown).map((each, place) => [place ? ", " : "", each]);
  if (typeof value === "object") return facts(Object.entries(value).filter(([, each]) => each !== undefined).map(([name, each]) => [name.replaceAll("_", " "), shown(each)]));
  return String(value);
}

export async function show({ id: named }) {
  const model = await get(`/v1/models/${encodeURIComponent(named)}?deployment=false`);
  const { id } = model;
  const name = h("input", { maxlength: 64, required: true, pattern: "[a-z0-9]([a-z0-9_\\-]*[a-z0-9])?", value: endpointOf(model.name) });
  return [
    h("div.head", null, h("h1", null, model.name), statusBadge(model.status)),
    h("p.actions", null,
      model.status === "ready" && action(t("download"), async () => save(await (await ask("GET", `/v1/models/${id}/download`)).blob(), `${model.name}.zip`)),
      action(t("delete"), async () => {
        if (!sure(t("delete_sure", model.name))) return;
        await ask("DELETE", `/v1/models/${id}`);
        go("/models");
      }, "danger")),
    model.error && h("div.problem", { role: "alert" }, h("p", null, model.error.message)),
    facts([["id", h("code", null, model.id)], [t("what"), kindOf(model.signature)], [t("added"), moment(model.created_at)],
      [t("job"), model.job_id && h("a", { href: `#/jobs/${model.job_id}` }, model.job_id)],
      [t("deployments"), model.deployments.length ? model.deployments.map((each) => [deploymentLink(each), " "]) : null]]),
    model.status === "ready" && h("form.panel", { onsubmit: (event) => event.preventDefault() }, h("h2", null, t("serve")), field(t("endpoint"), name, t("serve_how")),
      h("div.actions", null, action(t("serve"), async () => {
        await send("PUT", `/v1/deployments/${encodeURIComponent(name.value)}`, { model: id });
        go(`/deployments/${encodeURIComponent(name.value)}`);
      }, "primary"))),
    h("section", null, h("h2", null, t("card")), shown({ ...model.card, test_answers: undefined })),
  ];
}
