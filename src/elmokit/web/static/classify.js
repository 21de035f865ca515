// Classify: a label for typed text, the words that carried it, and what each layer says.

import { ask } from "./api.js";
import { axis, Chart, Drawing, plain } from "./charts.js";
import { shades } from "./colours.js";
import { counted, field, h, percent, say } from "./dom.js";
import { missing, Status } from "./status.js";
import { strip } from "./strips.js";

const TEXT = "Shares of the bank fell after it reported a loss.";

const twoPlaces = (value) => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2).replace("-", "−");

export class ClassifyView {
  static id = "classify";
  static title = "Classify";

  constructor(app) {
    this.app = app;
    const intro = h(
      "header",
      { class: "intro" },
      h("h1", {}, "Classify"),
      h("p", {}, "A label for a text, the words that carried it, and the layers it was read from."),
    );
    this.element = h("div", { class: "view" }, intro);
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
      field(
        "Text",
        this.text,
        `${classifier.name}: ${counted(classifier.labels.length, "label")}; it reads the first ${classifier.max_words} words.`,
      ),
      field("Words by", this.method),
      field("That speak for", this.label),
      h("button", { type: "submit", class: "go" }, "Classify"),
    );
    this.summary = h("p", { class: "summary" });
    this.words = new Drawing("The words that carried it", { file: "words", className: "wide" });
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
    ] = found;
    this.results.hidden = false;
    this.#labels(classified);
    this.#words(classified);
    this.#mix(inside.mix);
    this.#alone(inside);
    say(this.summary.textContent);
  }

  #labels({ labels, cut, words }) {
    const [best] = labels;
    const told = cut ? ` Only the first ${words.length} words were read.` : "";
    this.summary.replaceChildren(h("strong", {}, best.label), ` with ${percent(best.probability, 1)}.${told}`);
    this.labels.show({
      label: labels.map((each) => `${each.label} ${percent(each.probability, 1)}`).join(", "),
      note: "Probabilities from the trained mix of layers.",
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
        ? `they sum to the logit ${twoPlaces(logit)} less that of nothing, ${twoPlaces(baseline)} (gap ${twoPlaces(gap)})`
        : `how far the logit ${twoPlaces(logit)} falls without the word`;
    this.words.heading.textContent = `The words that carried “${label}”`;
    this.words.show({
      note: `Blue speaks for it, orange against; ${how}.`,
      label: `What each word did to the logit of ${label}.`,
      data: { columns: ["place", "word", "score"], rows: words.map((word, place) => [place + 1, word, scores[place]]) },
      paint: (theme, width) => strip(theme, width, words, [row]),
    });
  }

  #mix(mix) {
    const lambdas = mix?.lambdas;
    this.mix.element.hidden = !lambdas;
    if (!lambdas) return;
    const names = lambdas.map((_, layer) => (layer ? `LSTM ${layer}` : "tokens"));
    const whose = mix.source === "classifier" ? "the classifier" : "the model";
    this.mix.show({
      note: `λ of ${whose}, mix “${mix.mode}”; γ = ${mix.gamma.toFixed(3)}.`,
      label: `Weights of the layers: ${names.map((name, layer) => `${name} ${lambdas[layer].toFixed(3)}`).join(", ")}; gamma ${mix.gamma.toFixed(3)}.`,
      data: {
        columns: ["weight", "value"],
        rows: [...names.map((name, layer) => [`λ ${name}`, lambdas[layer]]), ["γ", mix.gamma]],
      },
      paint: (theme) => {
        const bars = (x, y, color, more) => ({
          type: "bar",
          hoverinfo: "none",
          x,
          y,
          marker: { color },
          text: y.map((value) => value.toFixed(2)),
          textposition: "outside",
          cliponaxis: false,
          ...more,
        });
        const across = { type: "category", showgrid: false };
        return {
          traces: [
            bars(names, lambdas, theme.accent),
            bars(["γ"], [mix.gamma], theme.soft, { xaxis: "x2", yaxis: "y2" }),
          ],
          layout: {
            height: 230,
            bargap: 0.4,
            margin: { l: 44, r: 12, t: 24, b: 32 },
            xaxis: axis(theme, { ...across, domain: [0, 0.7] }),
            yaxis: axis(theme, { rangemode: "tozero", nticks: 5 }),
            xaxis2: axis(theme, { ...across, domain: [0.84, 1], anchor: "y2" }),
            yaxis2: axis(theme, { rangemode: "tozero", anchor: "x2", nticks: 5 }),
          },
        };
      },
    });
  }

  #alone({ alone, mixed: together }) {
    const rows = [{ name: "the mix", labels: together }, ...alone];
    const { labels } = this.app.model.classifier;
    const share = (row, label) => row.labels.find((each) => each.label === label)?.probability ?? 0;
    this.alone.show({
      label: rows.map((row) => `${row.name}: ${row.labels[0].label} ${percent(row.labels[0].probability)}`).join("; "),
      note: "All of the mix's weight on one layer.",
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
