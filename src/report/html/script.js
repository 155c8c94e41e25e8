"use strict";
// Sorts the tables that may be sorted: every head cell becomes a button.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      // The heading of a group stays above its rows.
      const groups = [...table.tBodies].map((body) => [...body.querySelectorAll("tr:not(.group)")]);
      const isKeyed = groups.flat().some((row) => "key" in row.cells[column].dataset);
      // A cell without a number comes last, whichever way the rows go.
      const compare = (a, b) => {
        const [x, y] = [a.cells[column], b.cells[column]];
        if (!isKeyed) {
          const order = x.textContent.localeCompare(y.textContent, "en", { numeric: true });
          return down ? -order : order;
        }
        if (!("key" in x.dataset) || !("key" in y.dataset)) {
          return ("key" in y.dataset) - ("key" in x.dataset);
        }
        return down ? y.dataset.key - x.dataset.key : x.dataset.key - y.dataset.key;
      };
      groups.forEach((rows, i) => table.tBodies[i].append(...rows.sort(compare)));
    });
  });
}

// A box that scrolls must be reachable by keyboard; one that does not is no stop.
const boxes = () => document.querySelectorAll(".scroll");
const stops = () => {
  for (const box of boxes()) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
addEventListener("resize", stops);
stops();

// Paper can't be unfolded.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((part) => (part.open = true));
});
addEventListener("afterprint", () => folded.forEach((part) => (part.open = false)));
