// The first page: what is going on, or, where nothing has happened yet, one button.

import { onceOnly, page, send } from "/web/api.js";
import { h, table } from "/web/dom.js";
import { moment, percent } from "/web/format.js";
import { action, go } from "/web/main.js";
import { jobLink, statusBadge } from "/web/parts.js";
import { t } from "/web/words.js";

// The worked example of the API's description, as JSON: tests/web/test_router.py holds one against the other.
const DEMO = {
  "name": "mnist to digits",
  "sources": [{ "dataset": "catalog:mnist_5k" }],
  "target": { "dataset": "catalog:digits", "labels_per_class": 3 },
  "model": { "backbone": "convnet", "params": { "filters": [16, 32] }, "image_size": [16, 16] },
  "strategies": ["auto"],
  "evaluation": { "seeds": 5 },
  "deploy": { "name": "digits", "when": "always" }
};

async function demo() {
  const job = await send("POST", "/v1/jobs", DEMO, onceOnly());
  go(`/jobs/${job.id}`);
}

const steps = () => h("ol.steps", null,
  ["step_data", "step_job", "step_read", "step_try"].map((each) => h("li", null, h("b", null, t(each)), h("span", null, t(`${each}_how`)))));

export async function show() {
  const [jobs, deployments, datasets] = await Promise.all([
    page("/v1/jobs", 8), page("/v1/deployments", 8), page("/v1/datasets", 1)]);
  const isNew = !jobs.data.length;
  return [
    h("section.hero", null,
      h("h1", null, t("hero")),
      h("p.lead", null, t("hero_how")),
      h("p.actions", null,
        isNew && action(t("run_demo"), demo, "primary"),
        h("a.button", { href: "#/datasets" }, t("bring_data")),
        !isNew && h("a.button.primary", { href: "#/new" }, t("new_job"))),
      isNew && h("p.note", null, t("run_demo_how"))),
    (isNew || !datasets.data.length) && steps(),
    !isNew && h("section", null, h("h2", null, t("latest_jobs")),
      table(t("latest_jobs"), [t("job"), t("state"), t("progress"), t("begun")],
        jobs.data.map((job) => [jobLink(job), statusBadge(job.status), percent(job.progress), moment(job.created_at)]))),
    deployments.data.length > 0 && h("section", null, h("h2", null, t("try_one")),
      h("ul.cards", null, deployments.data.map((each) => h("li", null,
        h("a", { href: `#/deployments/${encodeURIComponent(each.name)}` }, h("b", null, each.name)),
        h("span", null, t(`deployment_${each.status}`)))))),
  ];
}
