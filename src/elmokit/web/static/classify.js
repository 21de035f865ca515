// Classify: a label for typed text, the words that carried it, and what each layer says.

import { ask } from "./api.js";
import { axis, Chart, Drawing, plain } from "./charts.js";
import { shades } from "./colours.js";
import { counted, field, h, intro, percent, say } from "./dom.js";
import { missing, Status } from "./status.js";
import { strip } from "./strips.js";

const TEXTS = {
  goal: "The striker scored twice before half time and the keeper could only watch.",
  shares: "Shares of the bank fell after it reported a loss.",
  election: "The president promised talks with the rebels after the election.",
  chip: "The new chip lets a phone run three times longer on one charge.",
  mixed: "The football club sold shares to pay for a new stadium.",
};
const TEXT = TEXTS.goal;

const twoPlaces = (value) => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2).replace("-", "−");

export class ClassifyView {
  static id = "classify";
  static title = "Classify";

  constructor(app) {
    this.app = app;
    const head = intro(
      "Classify",
      "A label for a text, the words that led to it, and the layers it was read from.",
      "an example, then change or take out its bluest word and ask again.",
    );
    this.element = h("div", { class: "view" }, head);
    const { classifier } = app.model;
    if (!classifier) {
      this.element.append(
        missing(
          "No classifier is loaded",
          "Train one with elmo train classify, then start the server with",
          "elmo serve --model DIR --classifier DIR",
        ),
      );
      return;
    }
    this.status = new Status();
    this.text = h("textarea", { rows: 6, required: true, maxlength: app.model.limits.characters });
    this.method = h(
      "select",
      {},
      h("option", { value: "gradients" }, "Integrated gradients"),
      h("option", { value: "occlusion" }, "Occlusion: without each word"),
    );
    this.label = h(
      "select",
      {},
      h("option", { value: "" }, "the most likely"),
      classifier.labels.map((label) => h("option", { value: label }, label)),
    );
    const form = h(
      "form",
      { class: "controls", onsubmit: (event) => this.#submit(event) },
      h(
        "div",
        { class: "field" },
        h("p", { class: "label", id: "texts" }, "Examples"),
        h(
          "ul",
          { class: "chips", "aria-labelledby": "texts" },
          Object.entries(TEXTS).map(([name, text]) =>
            h("li", {}, h("button", { type: "button", class: "chip", onclick: () => this.#example(text) }, name)),
          ),
        ),
      ),
      field(
        "Text",
        this.text,
        `${classifier.name} chooses among ${classifier.labels.join(", ")}; it reads the first ${counted(classifier.max_words, "word")}.`,
      ),
      field("Weigh the words by", this.method),
      field("For or against", this.label),
      h("button", { type: "submit", class: "go" }, "Classify"),
      classifier.terms && h("p", { class: "hint" }, `${classifier.name}: ${classifier.terms}`),
    );
    this.summary = h("p", { class: "summary" });
    this.words = new Drawing("The words that led to it", { file: "words", className: "wide" });
    this.labels = new Chart("Labels", { file: "labels" });
    this.mix = new Chart("The layers' weights", { file: "mix" });
    this.alone = new Chart("What each layer alone would say", { file: "layers", className: "wide" });
    this.results = h(
      "div",
      { class: "results", hidden: true },
      this.summary,
      h("div", { class: "grid" }, this.words.element, this.labels.element, this.mix.element, this.alone.element),
    );
    this.element.append(
      h("div", { class: "desk" }, form, h("div", { class: "out" }, this.status.element, this.results)),
    );
  }

  show(params) {
    if (!this.text) return;
    this.text.value = params.get("text") ?? TEXT;
    this.method.value = params.get("method") === "occlusion" ? "occlusion" : "gradients";
    this.label.value = params.get("label") ?? "";
    this.#run();
  }

  #example(text) {
    this.text.value = text;
    this.text.form.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const params = new URLSearchParams({ text: this.text.value });
    if (this.method.value !== "gradients") params.set("method", this.method.value);
    if (this.label.value) params.set("label", this.label.value);
    this.app.remember("classify", params);
    this.#run();
  }

  async #run() {
    const [text, explain, label] = [this.text.value, this.method.value, this.label.value];
    const key = JSON.stringify([text, explain, label]);
    if (key === this.key) return;
    this.key = null;
    this.results.classList.add("stale");
    const found = await this.status.run(
      "Reading the text …",
      (options) =>
        Promise.all([
          ask("/api/classify", { texts: [text], explain, ...(label && { label }) }, options),
          ask("/api/layers", { sentence: text }, options),
          this.#trained(options),
        ]),
      { again: () => this.#run() },
    );
    this.results.classList.remove("stale");
    if (!found) {
      this.results.hidden = this.status.element.childElementCount > 0;
      return;
    }
    this.key = key;
    const [
      {
        texts: [classified],
      },
      inside,
      trained,
    ] = found;
    this.results.hidden = false;
    this.#labels(classified);
    this.#words(classified);
    this.#mix(inside.mix, trained);
    this.#alone(inside);
    say(this.summary.textContent);
  }

  /** Weights that were learnt, from the first study that has some: to see beside those of a mix that is fixed. */
  async #trained(options) {
    if (this.learnt === undefined) {
      const { studies } = await ask("/api/studies", undefined, options);
      const study = studies.length ? await ask(`/api/studies/${studies[0].id}`, undefined, options) : { rows: [] };
      const apart = ({ lambdas }) => {
        const means = (lambdas ?? []).map((each) => each.mean);
        return Math.max(...means) - Math.min(...means) > 0.02;
      };
      const score = ({ metrics }) => metrics.test?.accuracy?.mean ?? 0;
      this.learnt = study.rows.filter(apart).sort((one, other) => score(other) - score(one))[0] ?? null;
    }
    return this.learnt;
  }

  #labels({ labels, cut, words }) {
    const [best] = labels;
    const told = cut ? ` Only the first ${words.length} words were read.` : "";
    const { name } = this.app.model.classifier;
    this.summary.replaceChildren(
      `${name} says `,
      h("strong", {}, best.label),
      ` with ${percent(best.probability, 1)}.${told}`,
    );
    this.labels.show({
      label: labels.map((each) => `${each.label} ${percent(each.probability, 1)}`).join(", "),
      note: "How sure the classifier is, reading its mix of the layers.",
      data: { columns: ["label", "probability"], rows: labels.map((each) => [each.label, each.probability]) },
      paint: (theme) => ({
        traces: [
          {
            type: "bar",
            orientation: "h",
            hoverinfo: "none",
            x: labels.map((each) => each.probability),
            y: labels.map((_, number) => number),
            marker: { color: labels.map((_, number) => (number ? theme.soft : theme.accent)) },
            text: labels.map((each) => percent(each.probability, 1)),
            textposition: "outside",
            cliponaxis: false,
          },
        ],
        layout: {
          height: 70 + 38 * labels.length,
          bargap: 0.35,
          margin: { l: 90, r: 56, t: 8, b: 36 },
          xaxis: axis(theme, { range: [0, 1], tickformat: ".0%" }),
          yaxis: axis(theme, {
            autorange: "reversed",
            tickvals: labels.map((_, number) => number),
            ticktext: labels.map((each) => plain(each.label)),
            tickfont: { size: 13, color: theme.ink },
            showgrid: false,
          }),
        },
      }),
    });
  }

  #words({ words, explanation }) {
    const { method, label, scores, logit, baseline, gap } = explanation;
    const most = Math.max(...scores.map(Math.abs), 1e-9);
    const row = {
      sign: "",
      name: `for ${label}`,
      values: scores,
      shown: (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(2)}`,
      fill: (value) => [value < 0 ? "against" : "accent", Math.abs(value) / most],
    };
    const how =
      method === "gradients"
        ? `The numbers add up to what the text did to the score of “${label}”: without any word it is ${twoPlaces(baseline)}, with all of them ${twoPlaces(logit)} (the method misses ${twoPlaces(Math.abs(gap))}).`
        : `Each number says how far the score of “${label}”, ${twoPlaces(logit)}, would fall without the word.`;
    this.words.heading.textContent = `The words that led to “${label}”`;
    this.words.show({
      note: `Blue words speak for “${label}”, orange ones against it. ${how}`,
      label: `What each word did to the score of ${label}.`,
      data: { columns: ["place", "word", "score"], rows: words.map((word, place) => [place + 1, word, scores[place]]) },
      paint: (theme, width) => strip(theme, width, words, [row]),
    });
  }

  #mix(mix, trained) {
    const lambdas = mix?.lambdas;
    this.mix.element.hidden = !lambdas;
    if (!lambdas) return;
    const names = lambdas.map((_, layer) => (layer ? `LSTM ${layer}` : "tokens"));
    const whose = mix.source === "classifier" ? this.app.model.classifier.name : this.app.model.name;
    const fixed = mix.mode === "frozen";
    const beside = fixed && trained?.lambdas.length === lambdas.length ? trained : null;
    const rows = [{ name: `${whose}${fixed ? " (fixed)" : ""}`, weights: lambdas, gamma: mix.gamma }];
    if (beside)
      rows.push({
        name: `${beside.name} (learnt)`,
        weights: beside.lambdas.map((each) => each.mean),
        gamma: beside.gamma?.mean ?? null,
      });
    const told = fixed
      ? `The head of ${whose} reads all layers with the same weight λ.${beside ? ` Where λ is learnt, as in the study's row “${beside.name}”, the layers that help more weigh more.` : ""}`
      : `How much of each layer ${whose} has learnt to read: its weights λ.`;
    this.mix.show({
      note: `${told} γ, the scale of the sum: ${rows.map((row) => row.gamma?.toFixed(2) ?? "not recorded").join(" and ")}.`,
      label: rows
        .map(
          (row) =>
            `${row.name}: ${names.map((name, layer) => `${name} ${row.weights[layer].toFixed(3)}`).join(", ")}; gamma ${row.gamma?.toFixed(3) ?? "not recorded"}`,
        )
        .join(". "),
      data: {
        columns: ["mix", ...names.map((name) => `λ ${name}`), "γ"],
        rows: rows.map((row) => [row.name, ...row.weights, row.gamma]),
      },
      paint: (theme) => ({
        traces: rows.map((row, number) => ({
          type: "bar",
          name: plain(row.name),
          hoverinfo: "none",
          x: names,
          y: row.weights,
          marker: { color: number === rows.length - 1 ? theme.accent : theme.soft },
          text: row.weights.map((value) => value.toFixed(2)),
          textposition: "outside",
          cliponaxis: false,
        })),
        layout: {
          height: 260,
          barmode: "group",
          bargap: 0.35,
          showlegend: rows.length > 1,
          margin: { l: 44, r: 12, t: 48, b: 32 },
          xaxis: axis(theme, { type: "category", showgrid: false }),
          yaxis: axis(theme, { rangemode: "tozero", nticks: 5, title: "λ" }),
        },
      }),
    });
  }

  #alone({ alone, mixed: together }) {
    const rows = [{ name: "the mix", labels: together }, ...alone];
    const { labels } = this.app.model.classifier;
    const share = (row, label) => row.labels.find((each) => each.label === label)?.probability ?? 0;
    this.alone.show({
      label: rows.map((row) => `${row.name}: ${row.labels[0].label} ${percent(row.labels[0].probability)}`).join("; "),
      note: "What the classifier would answer if it could read one layer only, with the whole weight on it.",
      data: {
        columns: ["layer", ...labels],
        rows: rows.map((row) => [row.name, ...labels.map((label) => share(row, label))]),
      },
      paint: (theme) => ({
        traces: [
          {
            type: "heatmap",
            z: rows.map((row) => labels.map((label) => share(row, label))),
            zmin: 0,
            zmax: 1,
            showscale: false,
            xgap: 2,
            ygap: 2,
            hoverinfo: "none",
            colorscale: shades(theme),
            textfont: { color: theme.ink },
            text: rows.map((row) => labels.map((label) => percent(share(row, label)))),
            texttemplate: "%{text}",
          },
        ],
        layout: {
          height: 60 + 40 * rows.length,
          margin: { l: 70, r: 8, t: 32, b: 8 },
          xaxis: axis(theme, {
            side: "top",
            tickvals: labels.map((_, number) => number),
            ticktext: labels.map(plain),
            showgrid: false,
            fixedrange: true,
          }),
          yaxis: axis(theme, {
            autorange: "reversed",
            tickvals: rows.map((_, number) => number),
            ticktext: rows.map((row) => row.name),
            showgrid: false,
            fixedrange: true,
          }),
        },
      }),
    });
  }
}
