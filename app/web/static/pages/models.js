// Packaged networks and the names that serve them.

import { h } from "/web/dom.js";
import { kindOf, moment } from "/web/format.js";
import { listing, statusBadge } from "/web/parts.js";
import { t } from "/web/words.js";

export const deploymentLink = (name) => h("a", { href: `#/deployments/${encodeURIComponent(name)}` }, name);

export async function show() {
  const [models, deployments] = await Promise.all([
    listing("/v1/models", { caption: t("packaged"), titles: [t("name"), t("state"), t("what"), t("deployments"), t("added")], none: () => t("no_models"),
      row: (each) => [h("a", { href: `#/models/${each.id}` }, each.name), statusBadge(each.status), kindOf(each.signature), each.deployments.map((name) => [deploymentLink(name), " "]), moment(each.created_at)] }),
    listing("/v1/deployments", { caption: t("deployments"), titles: [t("name"), t("state"), t("model"), t("version"), t("changed")], none: () => t("no_deployments"),
      row: (each) => [deploymentLink(each.name), t(`deployment_${each.status}`), h("a", { href: `#/models/${each.model}` }, each.model_name), each.version, moment(each.updated_at)] })]);
  return [
    h("h1", null, t("models")),
    h("section", null, h("h2", null, t("deployments")), deployments.element),
    h("section", null, h("h2", null, t("packaged")), models.element),
  ];
}
