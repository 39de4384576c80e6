/* The phone list: send how a call ended, keep the words when it is refused, show the list anew when it is not. */

import { Failure, post, startApi } from "./api.js";

const wrong = document.getElementById("wrong");
startApi({ csrf: document.querySelector("meta[name=csrf]").content }, () => { location.href = "/console/login"; });

for (const form of document.querySelectorAll("form.ended")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = new FormData(form);
    const body = { outcome: event.submitter?.value ?? "reached", note: fields.get("note"), heard: fields.get("heard") ?? "nothing" };
    if (body.outcome === "again" && fields.get("again_at")) body.again_at = fields.get("again_at");
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    try {
      await post(`phone-list/${form.dataset.about}/outcome`, body);
      location.reload();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      wrong.textContent = failure.message;
      wrong.hidden = false;
      wrong.scrollIntoView({ block: "center" });
      for (const button of form.querySelectorAll("button")) button.disabled = false;
    }
  });
}
