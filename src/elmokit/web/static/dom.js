// Elements of the page. Text goes in as text: nothing here reads markup.

import { parts } from "./written.js";

/** An element with attributes, listeners (`onclick`), CSS variables (`style`: an object) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else if (name === "style") for (const [key, each] of Object.entries(value)) element.style.setProperty(key, each);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

let count = 0;

/** An id that no other element has. */
export const newId = (stem) => `${stem}-${++count}`;

/** A form field under its label, with a hint that screen readers tell too. */
export function field(label, input, hint) {
  input.id ||= newId("field");
  const told = hint && h("p", { class: "hint", id: `${input.id}-hint` }, hint);
  if (told) input.setAttribute("aria-describedby", told.id);
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input, told);
}

/** The head of a view: its name, what it shows, and what to try. */
export const intro = (title, shows, attempt) =>
  h(
    "header",
    { class: "intro" },
    h("h1", {}, title),
    h("p", {}, shows),
    h("p", { class: "try" }, h("strong", {}, "Try: "), attempt),
  );

/** A sentence as it was written, its word marked. */
export function marked(use) {
  const [before, word, after] = parts(use);
  return [before, h("mark", {}, word), after];
}

/** Rows as a table that scrolls by itself; numbers to the right. */
export function table(caption, columns, rows, { most = 300 } = {}) {
  const shown = rows.slice(0, most);
  const cell = (value, column) => {
    const tag = column === 0 ? "th" : "td";
    const number = typeof value === "number";
    return h(tag, { class: number && "number", scope: column === 0 && "row" }, number ? figure(value) : (value ?? "–"));
  };
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map((name, column) =>
            h("th", { scope: "col", class: typeof shown[0]?.[column] === "number" && "number" }, name),
          ),
        ),
      ),
      h(
        "tbody",
        {},
        shown.map((row) => h("tr", {}, row.map(cell))),
      ),
    ),
    rows.length > most && h("p", { class: "hint" }, `The first ${most} of ${rows.length} rows; the CSV has all.`),
  );
}

/** A number as it is read: whole ones with separators, others with four digits. */
export function figure(value) {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 4 });
}

export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;

/** Names of things that are counted: 1 use, 2 uses. */
export const counted = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

/** Say something to screen readers. */
export function say(text) {
  document.getElementById("spoken").textContent = text;
}
