// Words in lines that wrap, with coloured cells under each: SVG, so that it is saved as it is seen.

import { FONT } from "./charts.js";
import { mixed } from "./colours.js";

const [WORD, NUMBER] = [15, 12]; // font sizes
const [HEAD, CELL, GAP, PAD, SIDE] = [24, 20, 14, 6, 22];
const LONGEST = 32;

const ruler = document.createElement("canvas").getContext("2d");

function wide(text, size) {
  ruler.font = `${size}px ${FONT}`;
  return ruler.measureText(text).width;
}

function element(tag, attributes, text) {
  const found = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
  if (text !== undefined) found.textContent = text;
  return found;
}

/** One stop of the Tab key for all of `among`; the arrows move between them. */
function makeButton(group, { name, press, among }) {
  group.setAttribute("class", "pick");
  group.setAttribute("role", "button");
  group.setAttribute("aria-label", name);
  group.setAttribute("tabindex", among.length ? -1 : 0);
  const place = among.push(group) - 1;
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  group.addEventListener("click", press);
  group.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") press();
    else if (event.key in step) {
      const next = among[Math.min(Math.max(place + step[event.key], 0), among.length - 1)];
      group.setAttribute("tabindex", -1);
      next.setAttribute("tabindex", 0);
      next.focus();
    } else return;
    event.preventDefault();
  });
}

/**
 * @param rows each `{sign, name, values, fill(value) → [colour name, share], shown(value) → text}`
 * @param more `chosen`: the place of a word that is underlined; `pick(place)`: called when a word is clicked,
 *   or chosen by Enter; arrows go from word to word
 */
export function strip(theme, width, words, rows, { chosen = null, pick = null } = {}) {
  const short = words.map((word) => (word.length > LONGEST ? `${word.slice(0, LONGEST)}…` : word));
  const widths = short.map(
    (word, place) =>
      Math.ceil(Math.max(wide(word, WORD), ...rows.map((row) => wide(row.shown(row.values[place]), NUMBER)), 20)) +
      2 * PAD,
  );
  const line = HEAD + rows.length * (CELL + 2) + GAP;
  const svg = element("svg", { width, "font-family": FONT, role: pick ? "group" : "presentation" });
  const picks = [];
  let [left, top] = [SIDE, 0];
  const begin = () =>
    rows.forEach((row, number) =>
      svg.append(
        element(
          "text",
          { x: 2, y: top + HEAD + number * (CELL + 2) + 15, "font-size": 14, fill: theme.soft },
          row.sign,
        ),
      ),
    );
  svg.append(element("rect", { width: "100%", height: "100%", fill: theme.panel }));
  begin();
  words.forEach((word, place) => {
    if (left > SIDE && left + widths[place] > width) {
      [left, top] = [SIDE, top + line];
      begin();
    }
    const group = element("g", {});
    const centre = left + widths[place] / 2;
    const told = rows.map((row) => `${row.name} ${row.shown(row.values[place])}`).join(", ");
    group.append(element("title", {}, `${word}: ${told}`));
    group.append(
      element(
        "text",
        {
          x: centre,
          y: top + 17,
          "font-size": WORD,
          "text-anchor": "middle",
          fill: theme.ink,
          "font-weight": place === chosen ? 700 : 400,
        },
        short[place],
      ),
    );
    rows.forEach((row, number) => {
      const y = top + HEAD + number * (CELL + 2);
      const [colour, share] = row.fill(row.values[place]);
      group.append(
        element("rect", {
          x: left + 1,
          y,
          width: widths[place] - 2,
          height: CELL,
          rx: 3,
          fill: mixed(theme[colour], theme.panel, 0.04 + 0.5 * share),
        }),
      );
      group.append(
        element(
          "text",
          { x: centre, y: y + 14.5, "font-size": NUMBER, "text-anchor": "middle", fill: theme.ink },
          row.shown(row.values[place]),
        ),
      );
    });
    if (pick) {
      makeButton(group, { name: `${word}: ${told}`, press: () => pick(place), among: picks });
    }
    svg.append(group);
    left += widths[place];
  });
  svg.setAttribute("height", top + line);
  svg.setAttribute("viewBox", `0 0 ${width} ${top + line}`);
  return svg;
}
