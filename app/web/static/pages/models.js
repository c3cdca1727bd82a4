// Packaged networks and the names that serve them.

import { all } from "/web/api.js";
import { h, table } from "/web/dom.js";
import { kindOf, moment } from "/web/format.js";
import { statusBadge } from "/web/parts.js";
import { t } from "/web/words.js";

export const deploymentLink = (name) => h("a", { href: `#/deployments/${encodeURIComponent(name)}` }, name);

export async function show() {
  const [models, deployments] = await Promise.all([all("/v1/models"), all("/v1/deployments")]);
  const named = Object.fromEntries(models.map((each) => [each.id, each.name]));
  return [
    h("h1", null, t("models")),
    h("section", null, h("h2", null, t("deployments")), deployments.length
      ? table(t("deployments"), [t("name"), t("state"), t("model"), t("version"), t("changed")], deployments.map((each) => [
        deploymentLink(each.name), t(`deployment_${each.status}`), h("a", { href: `#/models/${each.model}` }, named[each.model] ?? each.model), each.version, moment(each.updated_at)]))
      : h("p.note", null, t("no_deployments"))),
    h("section", null, h("h2", null, t("packaged")), models.length
      ? table(t("packaged"), [t("name"), t("state"), t("what"), t("deployments"), t("added")], models.map((each) => [
        h("a", { href: `#/models/${each.id}` }, each.name), statusBadge(each.status), kindOf(each.signature), each.deployments.map((name) => [deploymentLink(name), " "]), moment(each.created_at)]))
      : h("p.note", null, t("no_models"))),
  ];
}
