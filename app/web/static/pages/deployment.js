// One deployment: try it, call it, see what it served before.

import { ask, get, Problem } from "/web/api.js";
import { facts, field, fill, h, select, table } from "/web/dom.js";
import { moment } from "/web/format.js";
import { action, go, notice, sure } from "/web/main.js";
import { trafficView } from "/web/traffic.js";
import { tryIt } from "/web/try_it.js";
import { t } from "/web/words.js";

function chosen({ value }) {
  if (!value) throw new Problem(422, { detail: t("choose_model") });
  return value;
}

function canary({ model, canary: tried }, path, change) {
  const to = `${path}/canary`;
  if (tried) {
    return h("section", null, h("h2", null, t("canary")),
      h("p", null, t("canary_now", tried.percent), " ", h("a", { href: `#/models/${tried.model}` }, tried.model_name)),
      tried.reason && h("p.warn", null, tried.reason),
      h("p.actions", null, action(t("canary_promote"), () => change("POST", `${to}/promote`), "primary"), action(t("canary_drop"), () => change("DELETE", to))));
  }
  const share = h("input", { type: "number", min: 1, max: 99, value: "10" });
  const choice = select([["", "–"]], "");
  get("/v1/models?limit=100").then(({ data }) => choice.append(...data.filter((each) => each.id !== model && each.status === "ready").map((each) => h("option", { value: each.id }, `${each.name} · ${moment(each.created_at)}`)))).catch(() => null);
  return h("section", null, h("h2", null, t("canary")), h("form.panel", { onsubmit: (event) => event.preventDefault() }, h("p.note", null, t("canary_how")),
    field(t("model"), choice), field(t("canary_share"), share),
    h("div.actions", null, action(t("canary_put"), () => chosen(choice) && change("PUT", to, { model: choice.value, percent: Number(share.value) }), "primary"))));
}

export async function show({ id, signal, redraw }) {
  const path = `/v1/deployments/${encodeURIComponent(id)}`;
  const answer = await ask("GET", path);
  const version = answer.headers.get("ETag");
  const deployment = await answer.json();
  const model = await get(`/v1/models/${deployment.model}`);

  // If-Match: what another tab has changed meanwhile is shown, not overwritten.
  const change = async (method, to, body) => {
    try {
      await ask(method, to, { body, headers: { "If-Match": version } });
    } catch (problem) {
      if (problem.status !== 412) throw problem;
      notice(t("changed_elsewhere"), "bad");
      return redraw();
    }
    return to === path && method === "DELETE" ? go("/models") : redraw();
  };
  const rows = deployment.history.map((each) => [each.version, h("a", { href: `#/models/${each.model}` }, each.model_name), moment(each.created_at),
    each.version === deployment.version ? t("current") : action(t("switch_to"), () => change("PUT", path, { model: each.model }), "small")]);
  return [
    h("div.head", null, h("h1", null, deployment.name), h(`span.badge.${deployment.status === "ready" ? "good" : "busy"}`, null, t(`deployment_${deployment.status}`))),
    deployment.reason && h("p.warn", null, deployment.reason),
    h("section", null, h("h2", null, t("try_it")), model.signature ? tryIt(deployment.name, model.signature) : h("p.note", null, t("no_signature"))),
    trafficView(path, signal),
    canary(deployment, path, change),
    h("section", null, h("h2", null, t("history")), table(t("history"), [t("version"), t("model"), t("since"), ""], rows),
      h("p.actions", null,
        deployment.history.length > 1 && action(t("rollback"), () => change("POST", `${path}/rollback`)),
        action(t("delete"), () => sure(t("delete_sure", deployment.name)) && change("DELETE", path), "danger"))),
    fill(h("div"), facts([[t("model"), h("a", { href: `#/models/${model.id}` }, model.name)], [t("begun"), moment(deployment.created_at)], [t("changed"), moment(deployment.updated_at)]])),
  ];
}
