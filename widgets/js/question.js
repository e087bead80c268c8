// @ts-check
// A question by itself, outside a run: one button an answer. What was taken is kept in the model; nothing is judged here.

import { h, plain, rich } from "./dom.js";

export const question = {
  /** @param {{ model: any, el: HTMLElement }} place */
  render({ model, el }) {
    const asked = model.get("question");
    const said = h("p", { class: "dp-soft", "aria-live": "polite" });
    const take = (/** @type {number} */ at) => {
      model.set("taken", at);
      model.save_changes();
    };
    const options = asked.options.map((/** @type {string} */ option, /** @type {number} */ at) =>
      h(
        "button",
        { type: "button", class: "dp-option", onclick: () => take(at) },
        h("span", { class: "dp-sign", "aria-hidden": "true" }),
        h("span", {}, ...rich(option)),
      ),
    );
    const root = h(
      "div",
      {
        class: "dp dp-question",
        role: "group",
        "aria-label": plain(asked.prompt),
        "data-lm-suppress-shortcuts": "true",
      },
      h("p", {}, ...rich(asked.prompt)),
      ...options,
      said,
    );
    root.onkeydown = (event) => {
      event.stopPropagation(); // nothing typed here is for the notebook
      const plainly = !event.ctrlKey && !event.metaKey && !event.altKey;
      if (plainly && /^[1-9]$/.test(event.key)) options[Number(event.key) - 1]?.click();
    };
    const show = () => {
      const taken = model.get("taken");
      options.forEach((/** @type {HTMLElement} */ option, /** @type {number} */ at) => {
        option.setAttribute("aria-pressed", at === taken ? "true" : "false");
        /** @type {Element} */ (option.firstChild).textContent = at === taken ? "● " : "○ ";
      });
      said.textContent =
        taken < 0
          ? "One tap. A wrong guess costs nothing: it makes you look."
          : "Noted. Further down it stands beside what happens. You may change your mind.";
    };
    show();
    el.append(root);
    model.on("change:taken", show);
    return () => model.off("change:taken", show);
  },
};

export default question;
