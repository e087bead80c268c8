// @ts-check
// The keys: what each does depends on where it is pressed.

/** @typedef {import("./player.js").PlayerView} View */

/** @param {View} view @param {KeyboardEvent} event */
export function press(view, event) {
  event.stopPropagation(); // nothing typed here is for the notebook
  const { key } = event;
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = actOf(view, key, target);
  if (!act) return;
  event.preventDefault();
  act();
}

/** What a key does here; nothing if it is the browser's. @param {View} view @param {string} key @param {HTMLElement} target @returns {(() => void) | null | undefined} */
function actOf(view, key, target) {
  const { menus } = view;
  const button = target.closest("button, summary, [role=button], [role=checkbox]");
  const inMenu = !menus.shut && Boolean(target.closest(".dp-menu"));
  if (key === "Escape") return () => (menus.shut ? view.update({ focus: null }, { quick: true }) : menus.close());
  if (!menus.shut && ["ArrowDown", "ArrowUp"].includes(key)) return () => menus.roam(key === "ArrowDown" ? 1 : -1);
  if (target.matches("input[type=text]")) return null;
  if (target.closest(".dp-stage") && ["ArrowDown", "ArrowUp"].includes(key))
    return () => view.stage.roam(key === "ArrowDown" ? 1 : -1);
  if ((key === "Enter" || key === " ") && target.closest(".dp-stage"))
    return () => menus.showMark(/** @type {any} */ (target).dataset.id, target);
  if (key === "Enter" && target === view.time.rail)
    return () => view.update({ focus: view.state.focus === null ? view.state.n : null }, { quick: true });
  if (key === " ")
    return button && !button.closest(".dp-options") ? null : () => view.state.asked || view.controls.toggle();
  if (inMenu && /^[1-9]$/.test(key)) return null;
  if (/^[1-9]$/.test(key)) {
    if (view.state.asked) return () => view.answer(Number(key) - 1);
    const nth = /** @type {HTMLElement | undefined} */ (view.words.nextList.children[Number(key) - 1]);
    return nth && (() => nth.click());
  }
  return {
    ArrowRight: () => (view.controls.pause(), view.move(1)),
    ArrowLeft: () => (view.controls.pause(), view.move(-1)),
    Home: () => view.toEnd(-1),
    End: () => view.toEnd(1),
    PageDown: () => view.move(10),
    PageUp: () => view.move(-10),
    "?": () => menus.showHelp(view.ui.help),
  }[key];
}
