// Neighbours: the uses in a corpus that lie nearest to a word in its sentence.

import { ask, Problem } from "./api.js";
import { axis, Chart, hoverSentence } from "./charts.js";
import { CorpusPicker } from "./corpus_picker.js";
import { counted, field, h, intro, newId, say } from "./dom.js";
import { saveText, csv } from "./export.js";
import { LayerSlider, layerOf } from "./layer_slider.js";
import { showStatic } from "./senses.js";
import { missing, Status } from "./status.js";
import { parts, whole } from "./written.js";

export class NeighboursView {
  static id = "neighbours";
  static title = "Neighbours";

  constructor(app) {
    this.app = app;
    this.status = new Status();
    this.sentence = h("textarea", {
      rows: 3,
      maxlength: app.model.limits.characters,
      required: true,
      onchange: () => this.#retyped(),
    });
    this.words = h(
      "fieldset",
      { class: "words" },
      h("legend", {}, "The word"),
      h("p", { class: "hint" }, "Type a sentence first."),
    );
    this.corpus = new CorpusPicker(app, { label: "Corpus", changed: () => this.#submit() });
    this.k = h("input", { type: "number", min: 1, max: 50, value: 10, required: true });
    this.form = h(
      "form",
      { class: "controls", onsubmit: (event) => this.#submit(event) },
      field("Sentence", this.sentence),
      this.words,
      this.corpus.element,
      field("Neighbours", this.k),
      h("button", { type: "submit", class: "go" }, "Find its neighbours"),
    );
    this.summary = h("p", { class: "summary" });
    this.slider = new LayerSlider((number) => this.#layer(number));
    this.chart = new Chart("Cosines, layer by layer", { file: "neighbours" });
    this.static = new Chart("The static vector", { file: "static" });
    this.listTitle = h("h2", { id: newId("nearest") }, "Nearest uses");
    this.list = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": this.listTitle.id });
    const tool = h("button", { type: "button", class: "quiet", onclick: () => this.#csv() }, "CSV");
    this.none = missing(
      "No corpus is loaded",
      "Neighbours are looked for in a text. Load one on this page, or start the server with",
      "elmo serve --model DIR --corpus FILE",
    );
    this.results = h(
      "div",
      { class: "results", hidden: true },
      this.summary,
      this.slider.element,
      h(
        "section",
        { class: "listing" },
        h("div", { class: "head" }, this.listTitle, h("div", { class: "tools" }, tool)),
        this.list,
      ),
      h("div", { class: "grid" }, this.chart.element, this.static.element),
    );
    const head = intro(
      "Neighbours in context",
      "A word in its sentence, and where a corpus uses it most alike.",
      "write “He sat on the bank of the river.” and see how the ranking changes with the layer; in the token layer all uses of a word are alike.",
    );
    this.element = h(
      "div",
      { class: "view" },
      head,
      h("div", { class: "desk" }, this.form, h("div", { class: "out" }, this.none, this.status.element, this.results)),
    );
  }

  async show(params) {
    const [example] = this.app.examples;
    this.sentence.value = params.get("sentence") ?? example.senses[0].sentences[0];
    this.k.value = params.get("k") ?? 10;
    const here = (this.showing = {});
    try {
      await this.corpus.refresh(params.get("corpus") ?? "");
    } catch (error) {
      this.status.fail(error, () => this.show(params));
      return;
    }
    if (here !== this.showing) return;
    this.none.hidden = this.corpus.corpora.length > 0;
    const asked = Number(params.get("place") ?? NaN);
    await this.#split(
      Number.isInteger(asked) && params.has("place") ? asked : null,
      params.has("sentence") ? null : example.word,
    );
    if (here !== this.showing) return;
    if (this.corpus.value) await this.#run(params);
  }

  /** Ask for the words of the sentence, and choose one: `place`, or the first that is `word`, or the longest. */
  async #split(place, word = null) {
    const sentence = this.sentence.value;
    if (sentence !== this.splitted) {
      if (!sentence.trim()) return;
      const found = await this.status.run(
        "Splitting the sentence into words …",
        (options) => ask("/api/embed", { sentences: [sentence], level: "sentence", encoding: "base64" }, options),
        { again: () => this.#split(place, word) },
      );
      if (!found) return;
      this.splitted = sentence;
      [{ words: this.tokens }] = found.sentences;
      this.words.replaceChildren(
        h("legend", {}, "The word"),
        ...this.tokens.map((token, number) => {
          const input = h("input", { type: "radio", name: "place", value: number, id: newId("word") });
          return h("span", { class: "word" }, input, h("label", { for: input.id }, token));
        }),
      );
    }
    let number = place;
    if (number === null && word) number = this.tokens.findIndex((token) => token.toLowerCase() === word);
    if (!(number >= 0 && number < this.tokens.length))
      number = this.tokens.reduce((best, token, at) => (token.length > this.tokens[best].length ? at : best), 0);
    const inputs = this.words.querySelectorAll("input");
    if (inputs[number]) inputs[number].checked = true;
  }

  async #retyped() {
    const before = this.tokens?.[this.#chosen()]?.toLowerCase();
    await this.#split(null, before);
  }

  #chosen() {
    return Number(this.words.querySelector(":checked")?.value ?? NaN);
  }

  #params() {
    const params = new URLSearchParams({ sentence: this.sentence.value, place: this.#chosen() });
    if (this.corpus.value && this.corpus.value !== this.corpus.corpora[0]?.id) params.set("corpus", this.corpus.value);
    if (Number(this.k.value) !== 10) params.set("k", this.k.value);
    return params;
  }

  async #submit(event) {
    event?.preventDefault();
    this.none.hidden = this.corpus.corpora.length > 0;
    if (this.sentence.value !== this.splitted) await this.#retyped();
    if (Number.isNaN(this.#chosen())) return;
    if (!this.corpus.value) {
      this.status.fail(new Problem({ message: "There is no corpus to search in.", hint: "Load a text file." }));
      return;
    }
    const params = this.#params();
    this.app.remember("neighbours", params);
    await this.#run(params);
  }

  async #run(params) {
    const body = { sentence: this.tokens, place: this.#chosen(), k: Number(this.k.value), corpus: this.corpus.value };
    if (!body.sentence || Number.isNaN(body.place)) return;
    const key = JSON.stringify(body);
    if (key !== this.key) {
      this.key = null;
      this.results.classList.add("stale");
      const found = await this.status.run(
        `Looking for uses of “${this.tokens[body.place]}” …`,
        (options) => ask("/api/neighbours", body, options),
        { again: () => this.#run(params) },
      );
      this.results.classList.remove("stale");
      if (!found) {
        this.results.hidden = this.status.element.childElementCount > 0;
        return;
      }
      [this.key, this.found] = [key, found];
    }
    this.results.hidden = false;
    this.#draw(layerOf(params, this.found.views.length));
  }

  #draw(number) {
    const { found } = this;
    const { word, uses, views } = found;
    const name = this.corpus.corpora.find((corpus) => corpus.id === found.corpus)?.name ?? "the corpus";
    const part = found.searched < found.found ? `; the first ${found.searched} were compared` : "";
    this.summary.textContent = found.searched
      ? `“${word}” occurs in ${counted(found.found, "sentence")} of ${name}${part}.`
      : `“${word}” does not occur in ${name}. Choose another word of the sentence, or load a text of your own.`;
    say(this.summary.textContent);
    const empty = !uses.length;
    this.slider.element.hidden = this.list.parentElement.hidden = this.chart.element.hidden = empty;
    this.static.element.hidden = !found.static?.known;
    if (found.static?.known) showStatic(this.static, found.static);
    if (empty) return;
    this.slider.show(
      views.map(({ name: layer, neighbours }) => ({
        name: layer,
        note: neighbours.length ? `best ${neighbours[0].cosine.toFixed(2)}` : null,
      })),
      number,
    );
    this.#view(number);
  }

  #layer(number) {
    const params = this.#params();
    if (number !== this.found.views.length - 1) params.set("layer", number);
    this.app.remember("neighbours", params, { replace: true });
    this.#view(number);
  }

  #view(number) {
    const { views, uses, word } = this.found;
    const view = views[number];
    this.listTitle.textContent = `Nearest uses in ${view.name}`;
    this.list.replaceChildren(
      h(
        "table",
        { class: "kwic" },
        h("caption", { class: "unseen" }, `Uses of ${word} nearest in ${view.name}, with what stands around them`),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["Cosine", "Before", "Word", "After"].map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        h(
          "tbody",
          {},
          view.neighbours.map(({ use, cosine }) => {
            const [before, middle, after] = parts(uses[use]);
            return h(
              "tr",
              {},
              h("td", { class: "number" }, cosine.toFixed(3)),
              h("td", { class: "before" }, h("bdi", {}, before.trimEnd())),
              " ",
              h("th", { scope: "row" }, h("mark", {}, middle)),
              /^\s/.test(after) && " ",
              h("td", { class: "after" }, after.trimStart()),
            );
          }),
        ),
      ),
    );
    const rows = views.flatMap((each) =>
      each.neighbours.map(({ use, cosine }, rank) => [each.name, rank + 1, cosine, whole(uses[use])]),
    );
    this.chart.show({
      file: `${word}-neighbours`,
      label: `Cosines of the nearest uses of ${word} in each layer.`,
      note: "A dot a neighbour; the layer that is shown is filled.",
      data: { columns: ["layer", "rank", "cosine", "sentence"], rows },
      paint: (theme) => ({
        traces: views.map((each, place) => ({
          type: "scatter",
          mode: "markers",
          hoverinfo: "text",
          cliponaxis: false,
          x: each.neighbours.map(() => place),
          y: each.neighbours.map(({ cosine }) => cosine),
          hovertext: each.neighbours.map(
            ({ use, cosine }) => `${cosine.toFixed(3)}<br>${hoverSentence(uses[use])}`,
          ),
          marker: {
            size: 10,
            symbol: place === number ? "circle" : "circle-open",
            color: theme.accent,
            line: { width: 1.5, color: theme.accent },
          },
        })),
        layout: {
          height: 380,
          xaxis: axis(theme, {
            tickvals: views.map((_, place) => place),
            ticktext: views.map((each) => each.name),
            range: [-0.5, views.length - 0.5],
            showgrid: false,
          }),
          yaxis: axis(theme, { title: "cosine" }),
        },
      }),
    });
  }

  #csv() {
    const { views, uses, word } = this.found;
    const view = views[this.slider.number];
    const rows = view.neighbours.map(({ use, cosine }, rank) => [
      rank + 1,
      cosine,
      whole(uses[use]),
      uses[use].place,
    ]);
    saveText(`${word}-neighbours-${view.name}.csv`, csv(["rank", "cosine", "sentence", "place"], rows), "text/csv");
  }
}
