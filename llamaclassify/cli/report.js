"use strict";
const { rules, rows } = JSON.parse(document.getElementById("data").textContent);
const isCompared = rules.length > 0, isJudged = rows.some((row) => "expected" in row);
const NONE = "(no rule fits)", ERROR = "(error)", WRONG = "(wrong)", PAGE = 100;
const CHANGES = ["worse", "better", "wrong by both", "right by both"];
const element = (id) => document.getElementById(id);
const found = (answer) => (answer.error !== null ? ERROR : answer.type === null ? NONE : answer.type);
const label = (row) => (row.expected === null ? NONE : row.expected);
const isWrong = (row, answer) => answer.error !== null || answer.type !== row.expected;
const why = (answer) => answer.error ?? answer.reasoning ?? "";
const colour = (row, answer) =>
  answer.error !== null ? "bad" : !isJudged ? "" : isWrong(row, answer) ? "bad" : "good";

// What a column shows of a row, how that is coloured, and what it is sorted by.
const columns = [{ name: "document", css: "name", show: (row) => row.document }];
if (isJudged) columns.push({ name: "label", css: "kind", show: label });
if (isCompared) {
  const sure = (answer) => (answer.confidence === null ? "" : ` ${answer.confidence.toFixed(2)}`);
  rules.forEach((name, n) => columns.push({
    name, css: "kind", show: (row) => found(row.answers[n]) + sure(row.answers[n]),
    colour: (row) => colour(row, row.answers[n]),
  }));
  columns.push({ name: "change", css: "change", show: (row) => row.change, by: (row) => CHANGES.indexOf(row.change),
    colour: (row) => ({ worse: "bad", better: "good" }[row.change] ?? "soft") });
  columns.push({ name: "why", css: "why",
    show: (row) => row.answers.map((answer, n) => `${rules[n]}: ${why(answer)}`).join("\n\n") });
} else {
  columns.push({ name: "type", css: "kind", show: (row) => found(row.answers[0]),
    colour: (row) => colour(row, row.answers[0]) });
  columns.push({ name: "confidence", css: "sure n", by: (row) => row.answers[0].confidence,
    show: (row) => row.answers[0].confidence?.toFixed(2) ?? "" });
  columns.push({ name: "why", css: "why", show: (row) => why(row.answers[0]),
    colour: (row) => (row.answers[0].error !== null ? "bad" : "") });
}
for (const row of rows) row.text = columns.map((column) => column.show(row)).join("\n").toLowerCase();

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
    const cell = make("td", column.css), text = column.show(row), css = column.colour?.(row);
    if (css) cell.classList.add(css);
    if (column.css === "why" && text.length > 110) {
      const details = make("details");
      details.append(make("summary", "", text));
      cell.append(details);
    } else cell.textContent = text;
    if (!["name", "why"].includes(column.css)) cell.dataset.of = column.name;
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

function isOf(row, kind) {
  if (!kind) return true;
  if (kind === WRONG) return row.answers.some((answer) => isWrong(row, answer));
  return row.change === kind || row.answers.some((answer) => found(answer) === kind);
}

function show() {
  const words = element("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const kind = element("kind").value;
  matching = rows.filter((row) => isOf(row, kind) && words.every((word) => row.text.includes(word)));
  if (sorted !== null) {
    const of = columns[sorted].by ?? columns[sorted].show, down = isDown ? -1 : 1;
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

const changes = CHANGES.filter((change) => rows.some((row) => row.change === change));
const kinds = [...new Set(rows.flatMap((row) => row.answers.map(found)))].sort();
for (const kind of ["", ...changes, ...(isJudged ? [WRONG] : []), ...kinds]) {
  const option = make("option", "", kind || "everything");
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
