// Senses: the uses of a word on a map, layer by layer.

import { ask, Problem } from "./api.js";
import { axis, Chart, hoverSentence, plain } from "./charts.js";
import { colours, mixed, shades, SYMBOLS } from "./colours.js";
import { CorpusPicker } from "./corpus_picker.js";
import { counted, field, h, intro, marked, newId, percent, say } from "./dom.js";
import { LayerSlider, layerOf } from "./layer_slider.js";
import { Status } from "./status.js";
import { whole } from "./written.js";

const NO_SENSE = "sense not given";
const MOST_HOVERED = 60; // uses; with more the cells of the matrix name them by number alone
const LEFT_OUT = 20;
const MOST_NUMBERED = 60; // uses; more numbers would cover each other
const [PAUSE, MOVE, STEP] = [1100, 900, 350]; // milliseconds: a layer is shown, points move by themselves, and by hand
const INPUTS = ["word", "text", "corpus", "layer", "use", "method"];

/** Lines to uses: `sense | sentence`, or a sentence. Only those in which the word stands. */
function usesOf(text, word) {
  const letters = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const stands = new RegExp(`(?<![\\p{L}\\p{N}])${letters}(?![\\p{L}\\p{N}])`, "iu");
  const uses = text.split("\n").flatMap((line) => {
    const found = /^\s*([^|]{1,40}?)\s*\|\s*(.+)$/u.exec(line);
    const [sense, sentence] = found ? [found[1].trim() || null, found[2].trim()] : [null, line.trim()];
    return sentence ? [{ sentence, ...(sense && { sense }) }] : [];
  });
  const kept = uses.filter((use) => stands.test(use.sentence));
  return { uses: kept, without: uses.length - kept.length };
}

const linesOf = (example) =>
  example.senses.flatMap(({ sense, sentences }) => sentences.map((each) => `${sense} | ${each}`)).join("\n");

export class SensesView {
  static id = "senses";
  static title = "Senses";

  constructor(app) {
    this.app = app;
    this.status = new Status();
    this.examples = new Map(app.examples.map((example) => [example.word, linesOf(example)]));
    this.#form();
    this.#results();
    const head = intro(
      "Senses",
      "One word, many uses: where each lies among the others, from the layer that knows no context to those that do.",
      "move the slider from tokens to the last layer and watch one point part by sense; point at a sentence to find it on the map.",
    );
    this.element = h(
      "div",
      { class: "view" },
      head,
      h("div", { class: "desk" }, this.form, h("div", { class: "out" }, this.status.element, this.results)),
    );
  }

  #form() {
    this.word = h("input", { type: "text", required: true, maxlength: 200, autocomplete: "off", spellcheck: "false" });
    this.text = h("textarea", { rows: 12, spellcheck: "false" });
    this.corpus = new CorpusPicker(this.app, { label: "Add uses from a corpus", none: "none" });
    this.more = h("details", { class: "more" }, h("summary", {}, "From a corpus"), this.corpus.element);
    const radio = (value, label) => {
      const input = h("input", { type: "radio", name: "method", value, id: newId("method") });
      return [input, h("label", { for: input.id }, label)];
    };
    this.method = h(
      "fieldset",
      { class: "choice", onchange: () => this.form.requestSubmit() },
      h("legend", {}, "Map"),
      radio("pca", "PCA"),
      radio("tsne", "t-SNE"),
    );
    this.links = h(
      "ul",
      { class: "chips" },
      [...this.examples.keys()].map((word) =>
        h("li", {}, h("a", { class: "chip", href: `#senses?word=${encodeURIComponent(word)}` }, word)),
      ),
    );
    const file = h("input", {
      type: "file",
      accept: ".txt,.tsv,text/plain",
      id: newId("file"),
      onchange: () => this.#load(file),
    });
    this.form = h(
      "form",
      { class: "controls", onsubmit: (event) => this.#submit(event) },
      h("div", { class: "field" }, h("p", { class: "label", id: "examples" }, "Examples"), this.links),
      field("Word", this.word),
      field("Sentences", this.text, "One per line. A sense may come first: money | The bank raised its rates."),
      h("div", { class: "field" }, h("label", { for: file.id }, "Load sentences from a file"), file),
      this.more,
      this.method,
      h("button", { type: "submit", class: "go" }, "Show the uses"),
    );
    this.links.setAttribute("aria-labelledby", "examples");
  }

  #results() {
    this.summary = h("p", { class: "summary" });
    this.slider = new LayerSlider((number) => this.#layer(number), { play: () => this.#play() });
    this.map = new Chart("Map of the uses", { file: "map" });
    this.map.onpoint = (point) => point.customdata !== undefined && this.#choose(point.customdata);
    this.map.onhover = (point) => this.#link(point?.customdata ?? null, { from: "map" });
    this.matrix = new Chart("Similarity", { file: "similarity" });
    this.matrix.onhover = (point) => this.#link(point ? this.order[point.pointIndex[0]] : null, { from: "matrix" });
    this.static = new Chart("The static vector", { file: "static" });
    this.noStatic = h("div", { class: "picture empty" });
    this.listTitle = h("h2", { id: "uses" }, "Uses");
    this.list = h("ol", { class: "uses", "aria-labelledby": "uses" });
    this.results = h(
      "div",
      { class: "results", hidden: true },
      this.summary,
      this.slider.element,
      h(
        "div",
        { class: "grid uneven" },
        this.map.element,
        this.matrix.element,
        h(
          "section",
          { class: "listing" },
          this.listTitle,
          h(
            "p",
            { class: "note" },
            "Point at a use to find it on the map and in the matrix; choose it to put the others in the order of their similarity to it in this layer.",
          ),
          this.list,
        ),
        this.static.element,
        this.noStatic,
      ),
    );
  }

  show(params) {
    const { opening, examples } = this.app;
    const first = !INPUTS.some((name) => params.has(name));
    if (first && opening && !this.opened) {
      this.opened = this.playing = true; // once: from the tokens to the layer that convinces
      params.set("layer", opening.layer);
    }
    this.word.value =
      params.get("word") ?? (params.has("text") || params.has("corpus") ? "" : (opening?.word ?? examples[0].word));
    this.text.value = params.get("text") ?? this.examples.get(this.word.value) ?? "";
    this.method.querySelector(`[value=${params.get("method") === "tsne" ? "tsne" : "pca"}]`).checked = true;
    this.more.open ||= params.has("corpus");
    this.corpus.refresh(params.get("corpus") ?? "").catch(() => {}); // what is missing shows when it is asked for
    for (const link of this.links.querySelectorAll("a")) {
      if (link.textContent === this.word.value && !params.has("text")) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    const chosen = Number(params.get("use") ?? NaN);
    this.chosen = Number.isInteger(chosen) ? chosen : null;
    this.#run(params.get("corpus") ?? "", params);
  }

  /** The inputs, as short as they can be. */
  #params() {
    const params = new URLSearchParams({ word: this.word.value.trim() });
    if (this.text.value !== (this.examples.get(params.get("word")) ?? "")) params.set("text", this.text.value);
    if (this.corpus.value) params.set("corpus", this.corpus.value);
    const { value } = this.method.querySelector(":checked");
    if (value !== "pca") params.set("method", value);
    return params;
  }

  #submit(event) {
    event.preventDefault();
    this.chosen = null;
    const params = this.#params();
    this.app.remember("senses", params);
    this.#run(this.corpus.value, params);
  }

  async #load(file) {
    const [chosen] = file.files;
    if (!chosen) return;
    const { characters, uses } = this.app.model.limits;
    const text = await chosen.text();
    const lines = text.split(/\r?\n/).filter((line) => line.trim());
    file.value = "";
    if (!lines.length) {
      this.status.stop();
      this.status.fail(new Problem({ message: `${chosen.name} is empty.`, hint: "Choose one with a sentence per line." }));
      return;
    }
    if (lines.length > uses || text.length > characters * 20) {
      this.status.stop();
      this.status.fail(
        new Problem({
          message: `${chosen.name} has ${counted(lines.length, "line")}; a map holds ${uses} uses.`,
          hint: "Load it under “From a corpus”: the uses of the word are then found in it.",
        }),
      );
      return;
    }
    this.text.value = lines.map((line) => line.replace("\t", " | ")).join("\n");
    say(`${counted(lines.length, "sentence")} loaded.`);
    this.text.focus();
  }

  async #run(corpus, params) {
    const word = this.word.value.trim();
    const { uses, without } = usesOf(this.text.value, word);
    const method = this.method.querySelector(":checked").value;
    const body = { word, uses, method, ...(corpus && { corpus }) };
    const key = JSON.stringify(body);
    if (key === this.key) return this.#draw(layerOf(params, this.found.views.length));
    this.key = this.linked = null;
    if (!word || (!uses.length && !corpus)) {
      const message = word ? `“${word}” occurs in none of the sentences.` : "Which word?";
      this.status.stop();
      this.status.fail(new Problem({ message, hint: "Type sentences that contain the word, or choose a corpus." }));
      this.results.hidden = true;
      return;
    }
    this.results.classList.add("stale");
    const dropped = [];
    const found = await this.status.run(
      `Reading ${counted(uses.length, "use")} of “${word}” …`,
      (options) => this.#asked(body, dropped, options),
      { again: () => this.#run(corpus, params) },
    );
    this.results.classList.remove("stale");
    if (!found) {
      this.results.hidden = this.status.element.childElementCount > 0;
      return;
    }
    [this.key, this.found, this.leftOut] = [key, found, without + dropped.length];
    this.senses = [...new Set(found.uses.map((use) => use.sense ?? NO_SENSE))];
    if (this.chosen >= found.uses.length) this.chosen = null;
    this.results.hidden = false;
    this.#draw(layerOf(params, found.views.length));
    say(this.summary.textContent);
  }

  /** The answer; sentences that contain the word only inside another (bank-owned) are left out. */
  async #asked(body, dropped, options) {
    for (;;) {
      try {
        return await ask("/api/senses", body, options);
      } catch (error) {
        const number = Number(/^uses\.(\d+)$/.exec(error.field ?? "")?.[1] ?? NaN);
        if (!(number < body.uses.length) || body.uses.length < 2 || dropped.length === LEFT_OUT) throw error;
        dropped.push(...body.uses.splice(number, 1));
      }
    }
  }

  /** From the tokens to the layer that is shown, by way of all others; anything that is done on the way ends it. */
  async #play(last = this.slider.number) {
    const run = (this.run = {});
    const stops = this.found.views.map((_, number) => number);
    if (last < stops.length - 1) stops.push(last);
    for (const [step, number] of stops.entries()) {
      this.slider.set(number);
      await Promise.all([this.#view(number, step ? MOVE : 0), pause(step ? MOVE + PAUSE : PAUSE)]);
      if (run !== this.run || !this.element.isConnected) return;
    }
    this.run = null;
  }

  /** Show a use, or none, in list, map and matrix alike. */
  #link(place, { from }) {
    if (place === this.linked || (place === undefined)) return;
    this.linked = place;
    for (const button of this.list.querySelectorAll(".use"))
      button.classList.toggle("linked", Number(button.dataset.place) === place);
    if (from !== "map") this.map.point(place === null ? null : this.#pointOf(place));
    if (from !== "matrix") {
      const at = this.order.indexOf(place);
      const { accent: color } = colours();
      const [low, high, end] = [at - 0.5, at + 0.5, this.order.length - 0.5];
      const frame = { type: "rect", line: { color, width: 2 } };
      const cross = [
        { ...frame, x0: -0.5, x1: end, y0: low, y1: high },
        { ...frame, x0: low, x1: high, y0: -0.5, y1: end },
      ];
      this.matrix.lines(at < 0 ? this.borders : [...this.borders, ...cross]);
    }
  }

  #pointOf(place) {
    const curveNumber = this.#sense(place);
    const { uses } = this.found;
    const pointNumber = uses.slice(0, place).filter((_, other) => this.#sense(other) === curveNumber).length;
    return { curveNumber, pointNumber };
  }

  #layer(number) {
    this.run = null;
    const params = this.#params();
    this.#place(params, number);
    this.#view(number, STEP);
  }

  #choose(number) {
    this.run = null;
    this.chosen = this.chosen === number ? null : number;
    this.#place(this.#params(), this.slider.number);
    this.#view(this.slider.number, 0);
    this.list.querySelector("[aria-pressed=true]")?.focus({ preventScroll: true });
  }

  #place(params, number) {
    if (number !== this.found.views.length - 1) params.set("layer", number);
    if (this.chosen !== null) params.set("use", this.chosen);
    this.app.remember("senses", params, { replace: true });
  }

  #draw(number) {
    const { word, views, uses, method } = this.found;
    const known = this.senses.filter((sense) => sense !== NO_SENSE);
    const left = this.leftOut ? ` ${counted(this.leftOut, "sentence")} without the word left out.` : "";
    const asked = this.method.querySelector(":checked").value;
    const few = asked !== method ? " t-SNE needs at least 5 uses: this is PCA." : "";
    this.summary.textContent = `${counted(uses.length, "use")} of “${word}”${known.length ? ` in ${counted(known.length, "sense")}` : ""}.${left}${few}`;
    this.slider.show(
      views.map(({ name, points, agreement }) => ({ name, note: noteOf(points, agreement) })),
      number,
    );
    this.#static();
    this.run = null;
    const move = this.playing && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.playing = false;
    if (move) this.#play(number);
    else this.#view(number, 0);
  }

  #view(number, animate) {
    const { views, uses, word, method } = this.found;
    const view = views[number];
    const one = onePoint(view.points);
    const agree =
      one || view.agreement === null
        ? ""
        : ` ${percent(view.agreement)} of the uses have their nearest neighbour in their own sense.`;
    const shown = this.map.show({
      animate,
      file: `${word}-map-${view.name}`,
      paint: (theme) => this.#mapOf(theme, view),
      label: `${method === "pca" ? "PCA" : "t-SNE"} map of ${counted(uses.length, "use")} of ${word} in the layer ${view.name}. ${one ? "All lie on one point." : ""}${agree}`,
      note: one
        ? "This layer sees the word alone: all uses are one point, as with a static vector."
        : `${view.name}.${agree}`,
      data: {
        columns: ["use", "sense", "x", "y", "sentence"],
        rows: uses.map((use, place) => [place + 1, use.sense ?? "", ...view.points[place], whole(use)]),
      },
    });
    this.matrix.show({
      file: `${word}-similarity-${view.name}`,
      paint: (theme, width) => this.#matrixOf(theme, view, width),
      label: `Cosines between the uses of ${word} in the layer ${view.name}.`,
      note: "Cosines of the vectors, sense by sense; a use with itself is left blank.",
      data: {
        columns: ["use", ...uses.map((_, place) => place + 1)],
        rows: view.similarity.map((row, place) => [String(place + 1), ...row]),
      },
    });
    this.#list(view);
    return shown;
  }

  #mapOf(theme, view) {
    const { uses, method } = this.found;
    const reach = Math.max(...view.points.flat().map(Math.abs)) || 1;
    const traces = this.senses.map((sense, number) => {
      const places = uses.map((use, place) => place).filter((place) => (uses[place].sense ?? NO_SENSE) === sense);
      const [colour, symbol] = look(theme, sense, number);
      return {
        type: "scatter",
        mode: uses.length > MOST_NUMBERED ? "markers" : "markers+text",
        text: places.map((place) => place + 1),
        textfont: { size: 10, color: sense === NO_SENSE ? theme.ink : theme.panel },
        name: plain(sense),
        customdata: places,
        hoverinfo: "text",
        cliponaxis: false,
        x: places.map((place) => view.points[place][0] / reach),
        y: places.map((place) => view.points[place][1] / reach),
        hovertext: places.map(
          (place) => `${plain(sense)} · use ${place + 1}<br>${hoverSentence(uses[place])}`,
        ),
        marker: {
          size: places.map((place) => (place === this.chosen ? 24 : uses.length > MOST_NUMBERED ? 11 : 18)),
          color: colour,
          symbol,
          opacity: 0.92,
          line: {
            width: places.map((place) => (place === this.chosen ? 3 : 1)),
            color: places.map((place) => (place === this.chosen ? theme.ink : theme.panel)),
          },
        },
      };
    });
    const named = (number) =>
      onePoint(view.points)
        ? `PC ${number + 1}`
        : method === "tsne"
          ? `t-SNE ${number + 1}`
          : `PC ${number + 1} · ${percent(view.explained[number])} of the variance`;
    const side = (number, more) =>
      axis(theme, { title: named(number), range: [-1.15, 1.15], showticklabels: false, ...more });
    return {
      traces,
      layout: {
        height: 400,
        showlegend: true,
        margin: { l: 36, r: 12, t: 36, b: 36 },
        xaxis: side(0),
        yaxis: side(1, { scaleanchor: "x" }),
      },
    };
  }

  #matrixOf(theme, view, width) {
    const { uses } = this.found;
    const order = uses
      .map((_, place) => place)
      .sort((one, other) => this.#sense(one) - this.#sense(other) || one - other);
    const known = uses.length <= MOST_HOVERED;
    const about = (place) => (known ? `${place + 1}: ${hoverSentence(uses[place])}` : `use ${place + 1}`);
    const labels = order.map(about);
    const step = Math.ceil(order.length / ((width - 90) / 22));
    const ticks = {
      tickvals: order.map((_, number) => number).filter((number) => number % step === 0),
      ticktext: order.filter((_, number) => number % step === 0).map((place) => place + 1),
      showgrid: false,
      ticks: "",
      tickangle: 0,
    };
    const apart = order
      .flatMap((_, row) => order.map((_, column) => (row === column ? [] : view.similarity[order[row]][order[column]])))
      .flat();
    const least = Math.min(...apart);
    const borders = order.flatMap((place, number) =>
      number && this.#sense(place) !== this.#sense(order[number - 1]) ? [number - 0.5] : [],
    );
    const border = { type: "line", line: { color: theme.ink, width: 1 } };
    const ends = { from: -0.5, to: order.length - 0.5 };
    this.order = order;
    this.borders = borders.flatMap((at) => [
      { ...border, x0: at, x1: at, y0: ends.from, y1: ends.to },
      { ...border, y0: at, y1: at, x0: ends.from, x1: ends.to },
    ]);
    return {
      traces: [
        {
          type: "heatmap",
          z: order.map((row) => order.map((column) => (row === column ? null : view.similarity[row][column]))),
          hoverinfo: "text",
          hoverongaps: false,
          hovertext: order.map((row, one) =>
            order.map(
              (column, other) =>
                `cosine ${view.similarity[row][column].toFixed(3)}<br>${labels[one]}<br>${labels[other]}`,
            ),
          ),
          colorscale: shades(theme, 1),
          zmin: least > 0.999 ? 0 : least,
          zmax: Math.max(...apart),
          xgap: order.length > 40 ? 0 : 1,
          ygap: order.length > 40 ? 0 : 1,
          colorbar: { thickness: 10, outlinewidth: 0, len: 0.9, tickfont: { color: theme.soft, size: 11 } },
        },
      ],
      layout: {
        height: Math.min(400, width),
        plot_bgcolor: theme.grid,
        shapes: this.borders,
        margin: { l: 30, r: 0, t: 8, b: 30 },
        xaxis: axis(theme, ticks),
        yaxis: axis(theme, { ...ticks, autorange: "reversed" }),
      },
    };
  }

  #sense(place) {
    return this.senses.indexOf(this.found.uses[place].sense ?? NO_SENSE);
  }

  #list(view) {
    const { uses } = this.found;
    const order = uses.map((_, place) => place);
    if (this.chosen !== null)
      order.sort(
        (one, other) =>
          (other === this.chosen) - (one === this.chosen) ||
          view.similarity[this.chosen][other] - view.similarity[this.chosen][one],
      );
    else order.sort((one, other) => this.#sense(one) - this.#sense(other) || one - other);
    this.list.replaceChildren(
      ...order.map((place) => {
        const use = uses[place];
        const number = this.#sense(place);
        const cosine =
          this.chosen !== null && h("span", { class: "cosine" }, view.similarity[this.chosen][place].toFixed(2));
        const sense = h(
          "span",
          {
            class: "sense",
            style: { "--colour": `var(--${this.senses[number] === NO_SENSE ? "soft" : `sense-${(number % 7) + 1}`})` },
          },
          this.senses[number],
        );
        return h(
          "li",
          { value: place + 1 },
          h(
            "button",
            {
              type: "button",
              class: "use",
              "data-place": place,
              onpointerenter: () => this.#link(place, { from: "list" }),
              onpointerleave: () => this.#link(null, { from: "list" }),
              onfocus: () => this.#link(place, { from: "list" }),
              onblur: () => this.#link(null, { from: "list" }),
              "aria-pressed": String(place === this.chosen),
              onclick: () => this.#choose(place),
            },
            h("span", { class: "number" }, place + 1),
            sense,
            h("span", { class: "sentence" }, marked(use)),
            cosine,
          ),
        );
      }),
    );
  }

  #static() {
    const { static: found, word } = this.found;
    const there = Boolean(found?.known);
    this.static.element.hidden = !there;
    this.noStatic.hidden = there;
    const why = found
      ? [h("p", {}, `“${word}” is not among the static vectors.`)]
      : [
          h("p", {}, "Static vectors have one point for all uses of a word. To see it here, start the server with"),
          h("pre", { tabindex: "0" }, h("code", {}, "elmo serve --model DIR --vectors V.txt")),
        ];
    this.noStatic.replaceChildren(h("h2", {}, "The static vector"), ...why);
    if (there) showStatic(this.static, found);
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const onePoint = (points) => points.every(([x, y]) => x === 0 && y === 0);

function noteOf(points, agreement) {
  if (onePoint(points)) return "one point";
  return agreement === null ? null : `agree ${percent(agreement)}`;
}

const look = (theme, sense, number) =>
  sense === NO_SENSE
    ? [theme.soft, "circle-open"]
    : [theme.senses[number % theme.senses.length], SYMBOLS[number % SYMBOLS.length]];

/** The one point of a word among its nearest words. */
export function showStatic(chart, found) {
  const words = [found.word, ...found.neighbours.map((each) => each.word)];
  const cosines = [1, ...found.neighbours.map((each) => each.cosine)];
  chart.show({
    file: `${found.word}-static`,
    label: `The static vector of ${found.word} and its nearest words: ${words.slice(1).join(", ")}.`,
    note: `Whatever the sentence, “${found.word}” is the one filled point; around it its nearest words (PCA).`,
    data: {
      columns: ["word", "cosine", "x", "y"],
      rows: words.map((word, place) => [word, cosines[place], ...found.points[place]]),
    },
    paint: (theme, width) => {
      const reach = Math.max(...found.points.flat().map(Math.abs)) || 1;
      const points = found.points.map(([x, y]) => [x / reach, y / reach]);
      const sides = beside(
        points.map(([x, y]) => [(x * (width - 48)) / 2.7, y * 124]),
        words,
      ); // pixels
      const side = { range: [-1.35, 1.35], showticklabels: false };
      return {
        traces: [
          {
            type: "scatter",
            mode: "markers+text",
            cliponaxis: false,
            hoverinfo: "text",
            x: points.map(([x]) => x),
            y: points.map(([, y]) => y),
            text: words.map((word, place) => (sides[place] ? plain(word) : "")),
            textposition: sides.map((side) => side ?? "top center"),
            textfont: { size: words.map((_, place) => (place ? 12 : 15)), color: theme.ink },
            hovertext: words.map((word, place) => `${plain(word)}<br>cosine ${cosines[place].toFixed(3)}`),
            marker: {
              opacity: 1,
              line: { width: 0 },
              size: words.map((_, place) => (place ? 6 : 15)),
              color: words.map((_, place) => (place ? mixed(theme.soft, theme.panel, 0.7) : theme.accent)),
            },
          },
        ],
        layout: {
          height: 380,
          margin: { l: 36, r: 12, t: 8, b: 36 },
          xaxis: axis(theme, { title: "PC 1", ...side }),
          yaxis: axis(theme, { title: "PC 2", ...side }),
        },
      };
    },
  });
}

/** Where each word is next to its point (pixels) so that it covers no other word or point; null where there is no room. */
function beside(points, words) {
  const sides = { "top center": [0, 15], "bottom center": [0, -15], "middle right": [1, 0], "middle left": [-1, 0] };
  const dots = points.map(([x, y], number) => ({ x, y, half: number ? 4 : 8, high: number ? 4 : 8 }));
  const taken = [];
  return points.map(([x, y], number) => {
    const half = words[number].length * (number ? 3.3 : 4.2);
    const boxes = Object.entries(sides).map(([name, [side, above]]) => ({
      name,
      x: x + side * (half + 9),
      y: y + above,
      half,
      high: 7,
    }));
    const apart = (box) => (other) =>
      Math.abs(box.x - other.x) >= box.half + other.half || Math.abs(box.y - other.y) >= box.high + other.high;
    const free = boxes.find((box) => [...taken, ...dots.filter((_, other) => other !== number)].every(apart(box)));
    if (free) taken.push(free);
    return free?.name ?? null;
  });
}
