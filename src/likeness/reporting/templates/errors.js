// Filters and sorts the table of errors.
"use strict";
(() => {
  const root = document.querySelector(".errors");
  if (!root) return;
  const one = (name) => root.querySelector(`[data-${name}]`);
  const body = root.querySelector("tbody"), rows = [...body.rows];
  const text = rows.map((row) => row.textContent.toLowerCase());

  const apply = () => {
    const error = one("kind").value, wanted = one("search").value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, place) => {
      row.hidden = Boolean(error && row.dataset.error !== error) || !text[place].includes(wanted);
      shown += row.hidden ? 0 : 1;
    });
    const [key, direction] = one("sort").value.split(" ");
    const sign = direction === "falling" ? -1 : 1;
    const sorted = [...rows].sort((a, b) => sign * (a.dataset[key] - b.dataset[key]));
    body.append(...sorted);
    one("shown").textContent = `${shown} shown`;
  };
  for (const name of ["kind", "search", "sort"]) one(name).addEventListener("input", apply);
  one("control").hidden = false;
})();
