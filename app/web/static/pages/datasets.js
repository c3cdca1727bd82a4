// What is there to learn from: own files, the catalogue.

import { get, send } from "/web/api.js";
import { fill, h, table } from "/web/dom.js";
import { count, itemsOf, kindOf, moment, size } from "/web/format.js";
import { action, go } from "/web/main.js";
import { datasetLink, listing, statusBadge } from "/web/parts.js";
import { dropZone, uploadForm } from "/web/uploading.js";
import { t } from "/web/words.js";

async function add(reference) {
  const dataset = await send("POST", "/v1/datasets", { from: reference });
  go(`/datasets/${dataset.id}`);
}

export async function show() {
  const [datasets, catalogue] = await Promise.all([
    listing("/v1/datasets", { caption: t("datasets"), titles: [t("name"), t("state"), t("what"), t("items"), t("added")], none: () => t("no_datasets"),
      row: (each) => [datasetLink(each), statusBadge(each.status), kindOf(each.schema), each.schema ? count(itemsOf(each.schema)) : "–", moment(each.created_at)] }),
    get("/v1/catalog/datasets")]);
  const form = h("div");
  return [
    h("h1", null, t("datasets")),
    dropZone(async (files) => {
      fill(form, await uploadForm(files));
      form.querySelector("input").focus();
    }),
    form,
    datasets.element,
    h("section", null, h("h2", null, t("catalogue")), h("p.note", null, t("catalogue_how")),
      table(t("catalogue"), [t("name"), t("what"), t("items"), t("licence"), t("download"), ""],
        catalogue.data.map((each) => [each.title, kindOf(each.schema), count(itemsOf(each.schema)), each.licence, each.download_bytes ? size(each.download_bytes) : t("comes_with_ktl"), action(t("add"), () => add(each.reference), "small")]))),
  ];
}
