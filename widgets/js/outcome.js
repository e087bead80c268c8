// @ts-check
// What became of a prediction: closed until an option is taken, then the learner's answer beside the right one.

import { h, rich } from "./dom.js";

export const outcome = {
  /** @param {{ model: any, el: HTMLElement }} place */
  render({ model, el }) {
    const root = h("div", { class: "dp dp-question dp-outcome", "aria-live": "polite" });
    const show = () => {
      root.dataset.tone = model.get("tone");
      root.replaceChildren(
        ...model
          .get("said")
          .map((/** @type {[string, string]} */ [sign, text]) => h("p", {}, h("b", {}, sign), " ", ...rich(text))),
      );
    };
    show();
    el.append(root);
    model.on("change:said", show);
    return () => model.off("change:said", show);
  },
};

export default outcome;
