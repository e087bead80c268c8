// The words beside the picture that are lists: what changed, and what must always hold.

/** Whoever changed in the step: every field, before and after, and where it is kept. */
function showFacts(ui, rows) {
  const people = [...new Set(rows.map(([who]) => who))];
  ui.factsHead.parentNode.hidden = !rows.length;
  ui.factsHead.textContent = people.length === 1 ? `${people[0]}, before → after` : "Before → after";
  let last = "";
  patch(ui.facts, rows, () => h("tr", {}, h("th", { scope: "row" }), h("td"), h("td", { class: "dp-soft" })), (tr, [who, name, was, now, where]) => {
    const [label, value, kept] = tr.children;
    label.textContent = people.length > 1 ? `${who} ${name}`.trim() : name;
    const is = h("span", { class: was === now ? "" : "dp-is" }, (now || "none").replace(/(\d) (%|ms)/g, "$1\u00a0$2"));
    value.replaceChildren(was && was !== now ? h("span", { class: "dp-was" }, was) : "", is);
    kept.textContent = where;
    tr.className = people.length > 1 && who !== last ? "dp-group" : "";
    last = who;
  });
}

/** The promises, each with a sign; why one is broken. */
function showPromises(ui, names, reasons) {
  ui.always.parentNode.hidden = !names.length;
  patch(ui.always, names, () => h("li", {}, h("span", { class: "dp-sign" }), h("span")), (li, name, i) => {
    const reason = reasons[i];
    li.className = reason ? "dp-no" : "dp-ok";
    li.firstChild.textContent = reason ? "✕" : "✓";
    li.title = name;
    li.lastChild.replaceChildren(...(reason ? [h("b", {}, name), ": ", ...rich(reason)] : [name.split(":")[0]]));
  });
}
