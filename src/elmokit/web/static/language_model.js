// Language model: surprisal under each word, and what both directions would put in a blank.

import { ask, Problem } from "./api.js";
import { axis, Chart, Drawing, plain } from "./charts.js";
import { counted, field, figure, h, intro, percent, say } from "./dom.js";
import { Status, missing } from "./status.js";
import { strip } from "./strips.js";
import { parts } from "./written.js";

const TEXT = "The bank raised its interest rates on Tuesday.\nThey sat on the bank of the river and watched the boats.";
const BLANK = "He drew his ___ and killed the man.";
const SATURATED = 16; // bits; more surprise has the same colour

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export class LanguageModelView {
  static id = "language-model";
  static title = "Language model";

  constructor(app) {
    this.app = app;
    const head = intro(
      "Language model",
      "What the model expected: reading forward from the left, and backward from the right.",
      "click a word below its sentence: it becomes the blank, and the model says what it would have written there.",
    );
    this.element = h("div", { class: "view" }, head);
    if (!app.model.language_model) {
      this.element.append(
        missing(
          "No language model is loaded",
          "Surprisal and blanks need the softmax of pretraining. Start the server with a folder of elmo pretrain:",
          "elmo serve --model DIR",
        ),
      );
      return;
    }
    this.pictures = [];
    this.#surprisal();
    this.#blanks();
  }

  #surprisal() {
    this.status = new Status();
    this.text = h("textarea", { rows: 5, required: true });
    const form = h(
      "form",
      { class: "controls", onsubmit: (event) => this.#submit(event) },
      field("Sentences", this.text, "One per line."),
      h("button", { type: "submit", class: "go" }, "Score"),
    );
    this.summary = h("p", { class: "summary" });
    this.strips = h("div", { class: "stack" });
    this.element.append(
      h(
        "section",
        { "aria-labelledby": "surprisal" },
        h("h2", { id: "surprisal" }, "Surprisal"),
        h("div", { class: "desk" }, form, h("div", { class: "out" }, this.status.element, this.summary, this.strips)),
      ),
    );
  }

  #blanks() {
    this.blankStatus = new Status();
    this.blank = h("textarea", { rows: 3, required: true, maxlength: this.app.model.limits.characters });
    this.k = h("input", { type: "number", min: 1, max: 100, value: 12, required: true });
    const { word_counts: counted } = this.app.model; // without them there is nothing to lift over
    this.rank = h(
      "select",
      {},
      counted && h("option", { value: "lift" }, "lift over word frequency"),
      h("option", { value: "probability" }, "probability"),
    );
    this.all = h("input", { type: "checkbox", id: "all-words" });
    const form = h(
      "form",
      { class: "controls", onsubmit: (event) => this.#submit(event), onchange: () => this.#refill() },
      field("Sentence with a blank", this.blank, "Write ___ for the blank, or click a word above."),
      field("Best words by", this.rank),
      h(
        "div",
        { class: "check" },
        this.all,
        h("label", { for: "all-words" }, "with function words, numbers and punctuation"),
      ),
      field("Words", this.k),
      h("button", { type: "submit", class: "go" }, "Fill the blank"),
    );
    this.fillers = new Chart("What would fit there", { file: "blank", level: 3 });
    this.fillers.element.hidden = true;
    this.element.append(
      h(
        "section",
        { "aria-labelledby": "blank" },
        h("h2", { id: "blank" }, "A blank"),
        h("div", { class: "desk" }, form, h("div", { class: "out" }, this.blankStatus.element, this.fillers.element)),
      ),
    );
  }

  show(params) {
    if (!this.text) return;
    this.text.value = params.get("text") ?? TEXT;
    this.blank.value = params.get("blank") ?? BLANK;
    this.k.value = params.get("k") ?? 12;
    this.rank.value = params.get("rank") ?? this.rank.options[0].value;
    if (this.rank.selectedIndex < 0) this.rank.selectedIndex = 0;
    this.all.checked = params.get("words") === "all";
    this.#run();
  }

  #refill() {
    this.#remember();
    this.#fill();
  }

  #submit(event) {
    event.preventDefault();
    this.#remember();
    this.#run();
  }

  #remember() {
    const params = new URLSearchParams();
    if (this.text.value !== TEXT) params.set("text", this.text.value);
    if (this.blank.value !== BLANK) params.set("blank", this.blank.value);
    if (Number(this.k.value) !== 12) params.set("k", this.k.value);
    if (this.rank.selectedIndex) params.set("rank", this.rank.value);
    if (this.all.checked) params.set("words", "all");
    this.app.remember("language-model", params);
  }

  async #run() {
    await Promise.all([this.#score(), this.#fill()]);
  }

  async #score() {
    const sentences = this.text.value
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    const key = JSON.stringify(sentences);
    if (key === this.scored) return;
    this.scored = null;
    if (!sentences.length) {
      this.status.fail(new Problem({ message: "Which sentence?" }));
      return;
    }
    this.strips.classList.add("stale");
    const found = await this.status.run(
      `Scoring ${counted(sentences.length, "sentence")} …`,
      (options) => ask("/api/score", { sentences }, options),
      { again: () => this.#score() },
    );
    this.strips.classList.remove("stale");
    if (!found) return;
    this.scored = key;
    const bits = found.sentences.flatMap((each) => each.mean);
    this.summary.textContent = `${mean(bits).toFixed(1)} bits a word on average. Deeper colour is more surprise.`;
    while (this.pictures.length < found.sentences.length) {
      const picture = new Drawing(`Sentence ${this.pictures.length + 1}`, {
        file: `surprisal-${this.pictures.length + 1}`,
        level: 3,
      });
      this.pictures.push(picture);
    }
    const shown = this.pictures.slice(0, found.sentences.length);
    this.strips.replaceChildren(...shown.map((picture) => picture.element));
    found.sentences.forEach((scored, number) => this.#strip(shown[number], scored, sentences[number]));
    say(this.summary.textContent);
  }

  #strip(picture, { words, forward, backward, known, perplexity }, text) {
    const fill = (value) => ["accent", Math.min(value / SATURATED, 1)];
    const shown = (value) => value.toFixed(1);
    const rows = [
      { sign: "→", name: "forward", values: forward, fill, shown },
      { sign: "←", name: "backward", values: backward, fill, shown },
    ];
    const unknown = known.filter((each) => !each).length;
    picture.show({
      note: `Perplexity ${figure(perplexity)}, the sentence end counted · bits forward → and backward ←${unknown ? ` · ${counted(unknown, "word")} scored as unknown` : ""}`,
      pressable: true,
      label: `Surprisal of each word, forward and backward, in bits: ${words.join(" ")}`,
      data: {
        columns: ["place", "word", "forward", "backward", "known"],
        rows: words.map((word, place) => [
          place + 1,
          word,
          forward[place],
          backward[place],
          known[place] ? "yes" : "no",
        ]),
      },
      paint: (theme, width) => strip(theme, width, words, rows, { pick: (place) => this.#pick({ words, place, text }) }),
    });
  }

  #pick(use) {
    const [before, , after] = parts(use);
    this.blank.value = `${before}___${after}`.trim();
    this.blank.form.requestSubmit();
    this.blank.scrollIntoView({
      block: "center",
      behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth",
    });
  }

  async #fill() {
    const { value: rank } = this.rank;
    const sentence = this.blank.value;
    const body = { sentence, k: Number(this.k.value), rank, words: this.all.checked ? "all" : "content" };
    const key = JSON.stringify(body);
    if (key === this.filled) return;
    if (!sentence.trim()) {
      this.fillers.element.hidden = true;
      this.blankStatus.fail(new Problem({ message: "Which sentence?", hint: "Write one with ___ in it." }));
      return;
    }
    this.filled = null;
    this.fillers.element.classList.add("stale");
    const found = await this.blankStatus.run(
      "Filling the blank …",
      (options) => ask("/api/substitutes", body, options),
      { again: () => this.#fill() },
    );
    this.fillers.element.classList.remove("stale");
    if (!found) return;
    this.filled = key;
    this.fillers.element.hidden = false;
    const { substitutes } = found;
    const best = substitutes[0];
    const lifted = rank === "lift";
    const told = (each) =>
      `<b>${plain(each.word)}</b><br>given the words before: ${percent(each.forward, 2)}<br>given the words after: ${percent(each.backward, 2)}`;
    const bars = (name, values, colour) => ({
      type: "bar",
      orientation: "h",
      name,
      marker: { color: colour },
      hoverinfo: "text",
      y: substitutes.map((_, number) => number),
      x: values,
      hovertext: substitutes.map(told),
    });
    const of = (name) => substitutes.map((each) => each[name]);
    const times = (theme) => ({
      ...bars("lift", of("lift"), theme.accent),
      text: substitutes.map((each) => `${figure(Number(each.lift.toPrecision(2)))} ×`),
      textposition: "outside",
      cliponaxis: false,
    });
    this.fillers.show({
      note: lifted
        ? `How many times more likely each word is here than in text at large, from both sides: ${sentence}`
        : `Probability given the words before (→) and after (←), the most likely from both sides first: ${sentence}`,
      label: `The best words for the blank: ${substitutes.map((each) => each.word).join(", ")}.`,
      data: {
        columns: ["word", "forward", "backward", "score", "lift"],
        rows: substitutes.map((each) => [each.word, each.forward, each.backward, each.score, each.lift]),
      },
      paint: (theme) => ({
        traces: lifted
          ? [times(theme)]
          : [
              bars("→ forward", of("forward"), theme.accent),
              bars("← backward", of("backward"), theme.against),
            ],
        layout: {
          height: (lifted ? 60 : 90) + (lifted ? 26 : 32) * substitutes.length,
          barmode: "group",
          bargap: 0.3,
          showlegend: !lifted,
          margin: { l: 90, r: lifted ? 64 : 16, t: lifted ? 8 : 32, b: 40 },
          xaxis: lifted
            ? axis(theme, { title: "times more likely than elsewhere", rangemode: "tozero" })
            : axis(theme, { title: "probability", tickformat: ".0%", rangemode: "tozero" }),
          yaxis: axis(theme, {
            autorange: "reversed",
            tickvals: substitutes.map((_, number) => number),
            ticktext: substitutes.map((each) => plain(each.word)),
            tickfont: { size: 13, color: theme.ink },
            showgrid: false,
          }),
        },
      }),
    });
    if (best) say(`The best word for the blank is ${best.word}.`);
  }
}
