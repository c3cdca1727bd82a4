// All jobs, page by page.

import { page } from "/web/api.js";
import { fill, h, select, table } from "/web/dom.js";
import { duration, moment, percent } from "/web/format.js";
import { action } from "/web/main.js";
import { jobLink, statusBadge } from "/web/parts.js";
import { t } from "/web/words.js";

const STATES = ["queued", "running", "paused", "succeeded", "failed", "cancelled"];

const row = (job) => [jobLink(job), statusBadge(job.status), percent(job.progress),
  job.status === "running" ? duration(job.eta_seconds) : job.started_at && job.ended_at ? duration((new Date(job.ended_at) - new Date(job.started_at)) / 1000) : "–",
  moment(job.created_at)];

export async function show() {
  const listed = h("div");
  let state = "";
  let jobs = [];
  let next = null;

  async function more(after) {
    const found = await page("/v1/jobs", 50, after, state ? { status: state } : {});
    jobs = after ? [...jobs, ...found.data] : found.data;
    next = found.has_more ? found.next : null;
    fill(listed,
      jobs.length ? table(t("jobs"), [t("job"), t("state"), t("progress"), t("takes"), t("begun")], jobs.map(row)) : h("p.note", null, t("no_jobs")),
      next && h("p", null, action(t("more"), () => more(next))));
  }

  await more(null);
  return [
    h("div.head", null, h("h1", null, t("jobs")), h("a.button.primary", { href: "#/new" }, t("new_job"))),
    h("div.filter", null, h("label", { for: "state" }, t("state")), " ",
      Object.assign(select([["", t("every")], ...STATES.map((each) => [each, t(`status_${each}`)])], state, (chosen) => {
        state = chosen;
        return more(null);
      }), { id: "state" })),
    listed,
  ];
}
