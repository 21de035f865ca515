// Pictures: a figure with its caption, its files and its data as a table; Plotly draws what is inside.

import { colours } from "./colours.js";
import { h, newId, table } from "./dom.js";
import { csv, pngOf, save, saveText, svgText } from "./export.js";
import { parts } from "./written.js";

let loading = null;
const pictures = new Set();
const CONFIG = { displayModeBar: false, displaylogo: false, scrollZoom: false, showTips: false };
export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';

/** Plotly, once it is asked for: the page is there before it. */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const fail = () => {
      loading = null;
      script.remove();
      reject(new Error("The drawing library did not load; the data stands in the table below."));
    };
    const script = h("script", { src: "/static/plotly.min.js", onload: () => resolve(window.Plotly), onerror: fail });
    document.head.append(script);
  });
  return loading;
}

/** Text as Plotly shows it: what looks like markup stays text. */
export const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const [BOLD, LIGHT] = ["\u0001", "\u0002"]; // around the word until lines are made

/** The sentence of a use for a hover label: lines of some 60 characters, its word bold; of long ones what is around it. */
export function hoverSentence(use, width = 60) {
  const [before, word, after] = parts(use);
  const around = 3 * width;
  const start = before.length > around ? `… ${before.slice(-around)}` : before;
  const end = after.length > around ? `${after.slice(0, around)} …` : after;
  const lines = [];
  let line = "";
  for (const chunk of `${start}${BOLD}${word}${LIGHT}${end}`.trim().split(/\s+/)) {
    const short = chunk.length > width ? `${chunk.slice(0, width)}…` : chunk;
    if (line && line.length + short.length > width) {
      lines.push(line);
      line = short;
    } else line += `${line && " "}${short}`;
  }
  return [...lines, line].map(plain).join("<br>").replaceAll(BOLD, "<b>").replaceAll(LIGHT, "</b>");
}

/** An axis in the page's style. */
export function axis(theme, more = {}) {
  const { title, ...rest } = more;
  return {
    zeroline: false,
    gridcolor: theme.grid,
    linecolor: theme.line,
    tickcolor: theme.line,
    automargin: true,
    fixedrange: false,
    title: title ? { text: title, font: { color: theme.soft, size: 12 }, standoff: 8 } : undefined,
    tickfont: { color: theme.soft, size: 12 },
    ...rest,
  };
}

const base = (theme) => ({
  font: { family: FONT, size: 13, color: theme.ink },
  paper_bgcolor: theme.panel,
  plot_bgcolor: theme.panel,
  margin: { l: 48, r: 12, t: 8, b: 40 },
  hovermode: "closest",
  showlegend: false,
  dragmode: matchMedia("(pointer: fine)").matches ? "zoom" : false,
  hoverlabel: {
    bgcolor: theme.panel,
    bordercolor: theme.soft,
    align: "left",
    font: { family: FONT, size: 13, color: theme.ink },
  },
  legend: {
    orientation: "h",
    x: 0,
    y: 1,
    yanchor: "bottom",
    font: { size: 13 },
    itemclick: false,
    itemdoubleclick: false,
  },
});

/** What every picture has: caption, PNG, SVG, CSV, and the data as a table. */
class Picture {
  constructor(title, { file, level = 2, className = "" } = {}) {
    this.file = file;
    this.paintable = null;
    this.data = null;
    const id = newId("picture");
    this.heading = h(`h${level}`, { id }, title);
    this.note = h("p", { class: "note" });
    this.plot = h("div", { class: "plot", role: "img" });
    this.trouble = h("p", { class: "hint" });
    this.place = h("div", { class: "holder" });
    this.details = h("details", { ontoggle: () => this.#fill() }, h("summary", {}, "Data as a table"), this.place);
    const tool = (name, work) =>
      h("button", { type: "button", class: "quiet", onclick: work, "aria-describedby": id }, name);
    const tools = h(
      "div",
      { class: "tools" },
      tool("PNG", () => this.saveAs("png")),
      tool("SVG", () => this.saveAs("svg")),
      tool("CSV", () => this.saveCsv()),
    );
    const head = h("div", { class: "head" }, this.heading, tools);
    this.element = h(
      "figure",
      { class: `picture ${className}`, "aria-labelledby": id },
      head,
      this.note,
      this.plot,
      this.trouble,
      this.details,
    );
    pictures.add(this);
    new ResizeObserver(() => this.paintSoon()).observe(this.plot);
  }

  /**
   * Show something: `paint` gets the colours and the width; `label` and `data` say the same in words and numbers.
   * What can be pressed inside a picture would be hidden from screen readers, were it an image: `pressable`.
   * `animate`: milliseconds in which points move to their new places.
   */
  show({ paint, label, note = "", data, animate = 0, pressable = false, file }) {
    this.plot.setAttribute("role", pressable ? "group" : "img");
    this.paintable = paint;
    this.data = data;
    this.animate = animate;
    if (file) this.file = file;
    this.note.textContent = note;
    this.plot.setAttribute("aria-label", label);
    this.place.replaceChildren();
    this.#fill();
    return this.paintSoon();
  }

  /** Paint in the next frame, once, if there is room. */
  paintSoon() {
    this.coming ??= new Promise((done) => requestAnimationFrame(done)).then(async () => {
      this.coming = null;
      const width = Math.floor(this.plot.clientWidth);
      if (!this.paintable || !width) return;
      try {
        await this.paint(this.paintable(colours(), width), width);
        this.trouble.textContent = "";
      } catch (error) {
        this.trouble.textContent = error.message;
      }
    });
    return this.coming;
  }

  /** For files: what is neither letter nor digit becomes a hyphen. */
  get name() {
    return this.file.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 80);
  }

  saveCsv() {
    saveText(`${this.name}.csv`, csv(this.data.columns, this.data.rows), "text/csv");
  }

  #fill() {
    if (!this.details.open || this.place.hasChildNodes() || !this.data) return;
    this.place.append(table(this.heading.textContent, this.data.columns, this.data.rows));
  }
}

/** A picture that Plotly draws; `paint` gives `{traces, layout}`, the height in the layout. */
export class Chart extends Picture {
  #queue = Promise.resolve();

  paint({ traces, layout }, width) {
    const { animate } = this;
    this.plot.style.minHeight = `${layout.height}px`; // the page does not jump when the picture comes
    this.animate = 0;
    const drawn = this.#queue.then(() => this.#draw(traces, { ...base(colours()), ...layout, width }, animate));
    this.#queue = drawn.catch(() => {});
    return drawn;
  }

  async #draw(traces, layout, animate) {
    const Plotly = await plotly();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (animate && !still && this.plot.data?.length === traces.length) {
      const data = traces.map(({ x, y }) => ({ x, y }));
      await Plotly.animate(
        this.plot,
        { data },
        {
          mode: "immediate",
          transition: { duration: animate, easing: "cubic-in-out" },
          frame: { duration: animate, redraw: false },
        },
      );
    }
    await Plotly.react(this.plot, traces, layout, CONFIG);
    if (!this.listening) {
      this.listening = true;
      this.plot.on("plotly_click", (event) => this.onpoint?.(event.points[0]));
      this.plot.on("plotly_hover", (event) => this.onhover?.(event.points[0]));
      this.plot.on("plotly_unhover", () => this.onhover?.(null));
    }
  }

  /** Show the label of a point, as if the mouse were on it: `{curveNumber, pointNumber}`, or none. */
  point(at) {
    if (this.listening) window.Plotly.Fx.hover(this.plot, at ? [at] : []);
  }

  /** Lay other lines over the picture. */
  lines(shapes) {
    if (this.listening) window.Plotly.relayout(this.plot, { shapes });
  }

  async saveAs(format) {
    const Plotly = await plotly();
    const { width, height } = this.plot.layout;
    const address = await Plotly.toImage(this.plot, { format: "svg", width, height });
    const text = decodeURIComponent(address.slice(address.indexOf(",") + 1));
    if (format === "svg") saveText(`${this.name}.svg`, text, "image/svg+xml");
    else save(`${this.name}.png`, await pngOf(text, width, height));
  }
}

/** A picture that `paint` draws as an SVG element. */
export class Drawing extends Picture {
  paint(svg) {
    this.plot.replaceChildren(svg);
  }

  async saveAs(format) {
    const svg = this.plot.querySelector("svg");
    const text = svgText(svg);
    if (format === "svg") saveText(`${this.name}.svg`, text, "image/svg+xml");
    else save(`${this.name}.png`, await pngOf(text, svg.width.baseVal.value, svg.height.baseVal.value));
  }
}

/** Draw all pictures again: the theme has changed. */
export function repaint() {
  for (const picture of pictures) picture.paintSoon();
}
