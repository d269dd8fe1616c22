"use strict";
const rows = JSON.parse(document.getElementById("data").textContent);
const isJudged = rows.some((row) => "expected" in row);
const NONE = "(no rule fits)", ERROR = "(error)", WRONG = "(wrong)", PAGE = 100;
const element = (id) => document.getElementById(id);
const found = (row) => (row.error !== null ? ERROR : row.type === null ? NONE : row.type);
const label = (row) => (row.expected === null ? NONE : row.expected);
const isWrong = (row) => row.error !== null || row.type !== row.expected;
const columns = [
  { name: "document", css: "name", of: (row) => row.document },
  { name: "type", css: "kind", of: found },
  ...(isJudged ? [{ name: "label", css: "kind", of: label }] : []),
  { name: "confidence", css: "sure n", of: (row) => row.confidence },
  { name: "why", css: "why", of: (row) => row.error ?? row.reasoning ?? "" },
];
for (const row of rows) row.text = columns.map((column) => column.of(row)).join("\n").toLowerCase();

let sorted = null, isDown = false, matching = [], shown = 0;

function make(tag, css, text) {
  const made = document.createElement(tag);
  if (css) made.className = css;
  if (text !== undefined) made.textContent = text;
  return made;
}

function rowOf(row) {
  const line = make("tr");
  for (const column of columns) {
    const cell = make("td", column.css);
    const value = column.of(row);
    cell.dataset.of = column.name;
    if (column.name === "confidence") cell.textContent = value === null ? "" : value.toFixed(2);
    else if (column.name === "why" && value.length > 110) {
      const details = make("details");
      details.append(make("summary", "", value));
      cell.append(details);
    } else cell.textContent = value;
    if (column.name === "document" || column.name === "why") delete cell.dataset.of;
    if (row.error !== null && column.name !== "document") cell.classList.add("bad");
    else if (isJudged && column.name === "type") cell.classList.add(isWrong(row) ? "bad" : "good");
    line.append(cell);
  }
  return line;
}

function showMore() {
  const next = matching.slice(shown, shown + PAGE);
  element("rows").append(...next.map(rowOf));
  shown += next.length;
  element("more").hidden = shown >= matching.length;
  element("shown").textContent = `${matching.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
}

function show() {
  const words = element("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const kind = element("kind").value;
  matching = rows.filter((row) => (!kind || (kind === WRONG ? isWrong(row) : found(row) === kind))
    && words.every((word) => row.text.includes(word)));
  if (sorted !== null) {
    const of = columns[sorted].of, down = isDown ? -1 : 1;
    const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b));
    matching.sort((a, b) => {
      const x = of(a), y = of(b);
      if (x === null || y === null) return (x === null) - (y === null);
      return down * compare(x, y);
    });
  }
  element("rows").replaceChildren();
  shown = 0;
  showMore();
}

columns.forEach((column, index) => {
  const head = make("th", column.css.replace("why", ""));
  const button = make("button", "", column.name);
  button.addEventListener("click", () => {
    isDown = sorted === index && !isDown;
    sorted = index;
    for (const other of element("columns").children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
    show();
  });
  head.append(button);
  element("columns").append(head);
});

const kinds = [...new Set(rows.map(found))].sort();
for (const kind of ["", ...(isJudged ? [WRONG] : []), ...kinds]) {
  const option = make("option", "", kind || "every type");
  option.value = kind;
  element("kind").append(option);
}
for (const button of document.querySelectorAll("button[data-kind]")) {
  button.addEventListener("click", () => {
    element("kind").value = button.dataset.kind;
    show();
    element("documents").scrollIntoView({ behavior: "smooth" });
  });
}
element("search").addEventListener("input", show);
element("kind").addEventListener("change", show);
element("more").addEventListener("click", showMore);
show();
