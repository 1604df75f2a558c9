// Words find symbols (columns), days (rows) and rules or verdicts (cells); all must fit. Without script all is shown.
"use strict";
const box = document.getElementById("find"), told = document.getElementById("found");
document.getElementById("finder").hidden = false;
const tables = [...document.querySelectorAll(".grid table")].map((table) => ({
  symbols: [...table.tHead.rows[0].cells].slice(1),
  rows: [...table.tBodies[0].rows].map((row) => ({ row, day: row.cells[0].textContent, cells: [...row.cells].slice(1) })),
}));
function show() {
  const words = box.value.toUpperCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const table of tables) {
    const used = new Set();
    for (const line of table.rows) {
      let any = false;
      line.cells.forEach((cell, at) => {
        const link = cell.firstElementChild;
        const fits = link !== null && words.every((word) => link.title.toUpperCase().includes(word));
        if (link !== null) link.hidden = !fits;
        if (fits) { any = true; count += 1; used.add(at); }
      });
      line.row.hidden = !any;
    }
    table.symbols.forEach((head, at) => { head.hidden = !used.has(at); });
    for (const line of table.rows) line.cells.forEach((cell, at) => { cell.hidden = !used.has(at); });
  }
  told.textContent = words.length ? `${count.toLocaleString("en")} symbol-day${count === 1 ? "" : "s"}` : "";
}
box.addEventListener("input", show);
box.addEventListener("keydown", (event) => {
  const first = document.querySelector(".grid a:not([hidden])");
  if (event.key === "Enter" && box.value && first) location.href = first.href;
});
show();
