// Compare: the results of a study: its table, confusion matrices and curves.

import { ask, Problem } from "./api.js";
import { axis, Chart, plain } from "./charts.js";
import { shades, SYMBOLS } from "./colours.js";
import { counted, field, figure, h, intro, newId, say, table } from "./dom.js";
import { csv, saveText } from "./export.js";
import { Status } from "./status.js";

const within = (interval) =>
  interval && interval.low !== null
    ? [interval.mean, interval.low, interval.high]
    : [interval?.mean ?? null, null, null];
const spread = (intervals) => ({
  type: "data",
  symmetric: false,
  thickness: 1.2,
  width: 4,
  array: intervals.map((each) => (each && each.high !== null ? each.high - each.mean : 0)),
  arrayminus: intervals.map((each) => (each && each.low !== null ? each.mean - each.low : 0)),
});

export class CompareView {
  static id = "compare";
  static title = "Compare";

  constructor(app) {
    this.app = app;
    this.status = new Status();
    this.opened = null; // a study from a file, which no address can name
    this.study = h("select", { onchange: () => this.#submit() });
    this.split = h("select", { onchange: () => this.#submit() });
    this.metric = h("select", { onchange: () => this.#submit() });
    this.row = h("select", { onchange: () => this.#submit() });
    this.file = h("input", {
      type: "file",
      accept: ".json,application/json",
      id: newId("file"),
      onchange: () => this.#open(),
    });
    this.none = h(
      "section",
      { class: "missing" },
      h("h2", {}, "No study is open"),
      h("p", {}, "Open the results.json of elmo compare on the left, or start the server with"),
      h("pre", { tabindex: "0" }, h("code", {}, "elmo serve --model DIR --study DIR")),
    );
    this.choices = h(
      "div",
      {},
      field("Scores on", this.split),
      field("Picture shows", this.metric),
      field("Method in detail", this.row),
    );
    const form = h(
      "form",
      { class: "controls", onsubmit: (event) => event.preventDefault() },
      field("Study", this.study),
      h("div", { class: "field" }, h("label", { for: this.file.id }, "Open a results.json"), this.file),
      this.choices,
    );
    this.title = h("h2");
    this.about = h("p", { class: "note" });
    this.scores = h("div", {});
    this.dots = new Chart("Methods", { file: "methods", level: 3 });
    this.confusion = new Chart("Confusion", { file: "confusion", level: 3 });
    this.learning = new Chart("Learning curves", { file: "learning", level: 3 });
    this.efficiency = new Chart("Share of the labels", { file: "labels", level: 3 });
    this.lambdas = new Chart("The layers' weights", { file: "lambdas", level: 3 });
    this.words = new Chart("Uses of a word", { file: "uses", level: 3 });
    this.classes = h("section", { class: "listing" });
    this.pairs = h("section", { class: "listing" });
    this.results = h(
      "div",
      { class: "results", hidden: true },
      this.title,
      this.about,
      this.scores,
      h(
        "div",
        { class: "grid" },
        [this.dots, this.confusion, this.learning, this.efficiency, this.lambdas, this.words].map(
          (chart) => chart.element,
        ),
      ),
      this.classes,
      this.pairs,
    );
    const head = intro(
      "Compare",
      "Methods side by side, as elmo compare measured them; the best of each column is marked.",
      "click a column's name to sort by it, then choose a method in detail to see what it mistakes for what.",
    );
    this.element = h(
      "div",
      { class: "view" },
      head,
      h("div", { class: "desk" }, form, h("div", { class: "out" }, this.none, this.status.element, this.results)),
    );
  }

  async show(params) {
    const asked = params.get("study");
    const found = await this.status.run("Asking for studies …", (options) => ask("/api/studies", undefined, options), {
      again: () => this.show(params),
    });
    if (!found) return;
    const options = found.studies.map(({ id, title }) => h("option", { value: id }, title));
    if (this.opened) options.push(h("option", { value: "file" }, `${this.opened.title} (file)`));
    if (!options.length) options.push(h("option", { value: "" }, "none loaded"));
    this.study.replaceChildren(...options);
    const there = (id) => options.some((option) => option.value === id);
    const id = asked ?? (this.opened ? "file" : options[0].value);
    if (there(id)) this.study.value = id;
    else if (asked)
      this.status.fail(
        new Problem({
          message: "That study is not open here.",
          hint: "Its file has to be opened again, or the server started with --study.",
        }),
      );
    await this.#load(params);
  }

  async #load(params) {
    const id = this.study.value;
    let study = id === "file" ? this.opened : null;
    if (id && !study) {
      if (this.loaded?.id !== id) {
        const found = await this.status.run(
          "Opening the study …",
          (options) => ask(`/api/studies/${encodeURIComponent(id)}`, undefined, options),
          { again: () => this.#load(params) },
        );
        if (!found) return;
        this.loaded = { id, found };
      }
      study = this.loaded.found;
    }
    this.none.hidden = Boolean(study);
    this.results.hidden = this.choices.hidden = !study;
    if (study) this.#draw(study, params);
  }

  async #open() {
    const [file] = this.file.files;
    if (!file) return;
    const found = await this.status.run(`Reading ${file.name} …`, async (options) => {
      if (file.size > this.app.model.limits.upload_bytes)
        throw new Problem({ message: `${file.name} is too large.`, hint: "Start the server with --study." });
      const text = await file.text();
      if (!text.trim())
        throw new Problem({ message: `${file.name} is empty.`, hint: "Choose the results.json of elmo compare." });
      try {
        return await ask("/api/studies", text, options);
      } catch (error) {
        if (error.status === 422) error.message = `${file.name} is no results.json of elmo compare. ${error.message}`;
        throw error;
      }
    });
    this.file.value = "";
    if (!found) {
      if (this.status.element.childElementCount) say("The file is no study.");
      return;
    }
    this.opened = found;
    const params = new URLSearchParams({ study: "file" });
    this.app.remember("compare", params);
    await this.show(params);
  }

  #submit() {
    const params = new URLSearchParams();
    if (this.study.value) params.set("study", this.study.value);
    params.set("split", this.split.value);
    params.set("metric", this.metric.value);
    params.set("row", this.row.value);
    this.app.remember("compare", params, { replace: true });
    this.#load(params);
  }

  #draw(study, params) {
    const splits = [...new Set(study.rows.flatMap((row) => Object.keys(row.metrics)))].sort(
      (one, other) => (other === "test") - (one === "test"),
    );
    const split = choose(this.split, splits, params.get("split"));
    const metrics = [...new Set(study.rows.flatMap((row) => Object.keys(row.metrics[split] ?? {})))];
    const metric = choose(this.metric, metrics, params.get("metric"));
    const working = study.rows.filter((row) => !row.failed);
    const best = [...working].sort((one, other) =>
      compared(other.metrics[split]?.[metric]?.mean ?? -1, one.metrics[split]?.[metric]?.mean ?? -1),
    )[0];
    const row = choose(
      this.row,
      working.map((each) => each.name),
      params.get("row") ?? best?.name,
    );
    this.title.textContent = study.title;
    const sizes = Object.entries(study.data)
      .map(([name, rows]) => `${name} ${rows.toLocaleString("en")}`)
      .join(", ");
    this.about.textContent = [
      counted(study.rows.length, "method"),
      sizes && `rows: ${sizes}`,
      study.seeds.length && `seeds ${study.seeds.join(", ")}`,
    ]
      .filter(Boolean)
      .join(" · ");
    const shown = working.find((each) => each.name === row);
    this.#scores(study, split, metrics);
    this.#dots(working, split, metric);
    this.#confusion(study, shown, split);
    this.#learning(working);
    this.#efficiency(study.efficiency);
    this.#lambdas(working);
    this.#uses(study.map, shown);
    this.#classes(study, shown);
    this.#pairs(study.pairs);
  }

  #scores(study, split, metrics) {
    const extra = [
      ["parameters", "Parameters"],
      ["trained_parameters", "Trained"],
      ["seconds", "Seconds"],
      ["words_per_second", "Words/s"],
    ].filter(([key]) => study.rows.some((row) => row[key] !== null));
    const columns = ["Method", "Kind", ...metrics, ...extra.map(([, name]) => name)];
    const value = (row, metric) => row.metrics[split]?.[metric];
    const cells = (row) => [
      row.name,
      row.kind,
      ...metrics.map((metric) => value(row, metric)?.mean ?? null),
      ...extra.map(([key]) => row[key]),
    ];
    const rows = study.rows.map((row) => ({ row, cells: cells(row) }));
    const best = new Map(
      metrics.map((metric) => [
        metric,
        Math.max(...study.rows.filter((row) => !row.failed).map((row) => value(row, metric)?.mean ?? -Infinity)),
      ]),
    );
    const body = h("tbody");
    const { sorted = { column: 0, down: null } } = this;
    const heads = columns.map((name, column) =>
      h("th", { scope: "col" }, h("button", { type: "button", class: "sort", onclick: () => sort(column) }, name)),
    );
    const fill = () => {
      const { column, down } = sorted;
      const order =
        down === null
          ? rows
          : [...rows].sort((one, other) => compared(one.cells[column], other.cells[column]) * (down ? -1 : 1));
      heads.forEach((head, number) =>
        head.setAttribute("aria-sort", down === null || number !== column ? "none" : down ? "descending" : "ascending"),
      );
      body.replaceChildren(
        ...order.map(({ row, cells: found }) =>
          h(
            "tr",
            {},
            found.map((each, number) => {
              if (number === 0)
                return h(
                  "th",
                  { scope: "row" },
                  each,
                  row.failed && h("small", { class: "failed" }, `failed: ${row.failed}`),
                  row.note && h("small", {}, row.note),
                );
              const interval = number >= 2 && number < 2 + metrics.length ? value(row, metrics[number - 2]) : null;
              const range =
                interval && interval.low !== null
                  ? h("small", {}, `${interval.low.toFixed(4)} – ${interval.high.toFixed(4)}`)
                  : null;
              const text =
                each === null ? "–" : interval ? each.toFixed(4) : typeof each === "number" ? figure(each) : each;
              const top = interval && !row.failed && each === best.get(metrics[number - 2]);
              const mark = top && [
                h("span", { class: "star", "aria-hidden": "true" }, " ★"),
                h("span", { class: "unseen" }, " (best)"),
              ];
              return h("td", { class: `${typeof each === "number" ? "number" : ""}${top ? " best" : ""}` }, text, mark, range);
            }),
          ),
        ),
      );
    };
    const sort = (column) => {
      Object.assign(sorted, {
        down: sorted.column === column && sorted.down !== null ? !sorted.down : column >= 2,
        column,
      });
      fill();
      say(`Sorted by ${columns[column]}.`);
    };
    this.sorted = sorted;
    fill();
    const save = () =>
      saveText(
        "study.csv",
        csv(
          [...columns, ...metrics.flatMap((metric) => [`${metric} low`, `${metric} high`])],
          rows.map(({ row, cells: found }) => [
            ...found,
            ...metrics.flatMap((metric) => within(value(row, metric)).slice(1)),
          ]),
        ),
        "text/csv",
      );
    const head = h(
      "div",
      { class: "head" },
      h("h3", {}, `Scores on ${split}`),
      h("div", { class: "tools" }, h("button", { type: "button", class: "quiet", onclick: save }, "CSV")),
    );
    this.scores.replaceChildren(
      h(
        "section",
        { class: "listing" },
        head,
        h(
          "div",
          { class: "scroll", tabindex: "0", role: "region", "aria-label": `Scores on ${split}` },
          h(
            "table",
            { class: "scores" },
            h("caption", { class: "unseen" }, `Scores on ${split}`),
            h("thead", {}, h("tr", {}, heads)),
            body,
          ),
        ),
      ),
    );
  }

  #dots(rows, split, metric) {
    const scored = rows.filter((row) => row.metrics[split]?.[metric]);
    this.dots.element.hidden = !scored.length;
    const values = scored.map((row) => row.metrics[split][metric]);
    this.dots.heading.textContent = `${metric} on ${split}`;
    this.dots.show({
      file: `${metric}-${split}`,
      label: scored.map((row, number) => `${row.name} ${values[number].mean.toFixed(4)}`).join(", "),
      note: "Mean and interval over seeds.",
      data: {
        columns: ["method", metric, "low", "high"],
        rows: scored.map((row, number) => [row.name, ...within(values[number])]),
      },
      paint: (theme) => ({
        traces: [
          {
            type: "scatter",
            mode: "markers",
            x: values.map((each) => each.mean),
            y: values.map((_, number) => number),
            error_x: { ...spread(values), color: theme.soft },
            marker: { size: 10, color: theme.accent },
            cliponaxis: false,
            hoverinfo: "text",
            hovertext: scored.map((row, number) => `${plain(row.name)}<br>${values[number].mean.toFixed(4)}`),
          },
        ],
        layout: {
          height: 90 + 34 * scored.length,
          margin: { l: 120, r: 24, t: 8, b: 36 },
          xaxis: axis(theme),
          yaxis: methods(theme, scored),
        },
      }),
    });
  }

  #confusion(study, row, split) {
    const matrix = row?.confusion[split];
    this.confusion.element.hidden = !matrix;
    if (!matrix) return;
    const names = matrix.map((_, place) => study.labels[place] ?? String(place));
    const shares = matrix.map((line) =>
      line.map(
        (count) =>
          count /
          Math.max(
            1,
            line.reduce((sum, each) => sum + each, 0),
          ),
      ),
    );
    this.confusion.heading.textContent = `Confusion of ${row.name}`;
    this.confusion.show({
      file: `confusion-${split}`,
      note: `On ${split}: gold down, predicted across; colour is the share of the gold label.`,
      label: `Confusion matrix of ${row.name} on ${split}.`,
      data: { columns: ["gold", ...names], rows: matrix.map((line, place) => [names[place], ...line]) },
      paint: (theme, width) => {
        const ticks = { tickvals: names.map((_, place) => place), ticktext: names.map(plain), showgrid: false };
        return {
          traces: [
            {
              type: "heatmap",
              z: shares,
              zmin: 0,
              zmax: 1,
              showscale: false,
              xgap: 2,
              ygap: 2,
              colorscale: shades(theme),
              textfont: { color: theme.ink },
              hoverinfo: "text",
              hovertext: matrix.map((line, gold) =>
                line.map(
                  (count, predicted) =>
                    `gold ${plain(names[gold])}<br>predicted ${plain(names[predicted])}<br>${count}`,
                ),
              ),
              ...(names.length <= 12 && { text: matrix, texttemplate: "%{text}" }),
            },
          ],
          layout: {
            height: Math.min(width, 420) - 20,
            margin: { l: 80, r: 8, t: 36, b: 8 },
            xaxis: axis(theme, { side: "top", ...ticks }),
            yaxis: axis(theme, { autorange: "reversed", ...ticks }),
          },
        };
      },
    });
  }

  #learning(rows) {
    const trained = rows.filter((row) => row.history.some((epoch) => epoch.validation_accuracy !== null));
    const curved = trained.some((row) => row.history.length > 1); // after one epoch there are points alone
    this.learning.element.hidden = !curved;
    if (!curved) return;
    this.learning.show({
      note: "Validation accuracy by epoch.",
      label: `Learning curves of ${trained.map((row) => row.name).join(", ")}.`,
      data: {
        columns: ["method", "epoch", "validation accuracy", "validation loss", "training loss"],
        rows: trained.flatMap((row) =>
          row.history.map((epoch) => [
            row.name,
            epoch.epoch,
            epoch.validation_accuracy,
            epoch.validation_loss,
            epoch.train_loss,
          ]),
        ),
      },
      paint: (theme) => ({
        traces: trained.map((row, number) =>
          line(
            theme,
            number,
            row.name,
            row.history.map((epoch) => epoch.epoch),
            row.history.map((epoch) => epoch.validation_accuracy),
          ),
        ),
        layout: lines(theme, "epoch", "validation accuracy", trained.length, {
          dtick: Math.max(...trained.map((row) => row.history.length)) <= 12 ? 1 : undefined,
        }),
      }),
    });
  }

  #efficiency({ shares, curves }) {
    const names = Object.keys(curves);
    this.efficiency.element.hidden = !names.length || shares.length < 2;
    if (this.efficiency.element.hidden) return;
    const at = (interval) => interval?.mean ?? null;
    this.efficiency.show({
      note: "Test accuracy by the share of training labels.",
      label: `Accuracy by the share of labels of ${names.join(", ")}.`,
      data: {
        columns: ["method", "share", "accuracy", "low", "high"],
        rows: names.flatMap((name) =>
          curves[name].map((interval, place) => [name, shares[place], ...within(interval)]),
        ),
      },
      paint: (theme) => ({
        traces: names.map((name, number) => ({
          ...line(theme, number, name, shares, curves[name].map(at)),
          connectgaps: true,
          error_y: { ...spread(curves[name]), color: theme.senses[number % theme.senses.length] },
        })),
        layout: lines(theme, "share of the labels", "test accuracy", names.length, {
          type: "log",
          tickvals: shares,
          ticktext: shares.map((share) => `${figure(100 * share)} %`),
        }),
      }),
    });
  }

  #lambdas(rows) {
    const mixed = rows.filter((row) => row.lambdas?.length > 1);
    this.lambdas.element.hidden = !mixed.length;
    if (!mixed.length) return;
    const layers = Math.max(...mixed.map((row) => row.lambdas.length));
    const names = Array.from({ length: layers }, (_, layer) => (layer ? `LSTM ${layer}` : "tokens"));
    const rounded = (interval) => interval?.mean ?? null;
    this.lambdas.show({
      note: `λ of each layer. γ: ${
        mixed
          .filter((row) => row.gamma)
          .map((row) => `${row.name} ${row.gamma.mean.toFixed(2)}`)
          .join(", ") || "not recorded"
      }.`,
      label: `Weights of the layers in ${mixed.map((row) => row.name).join(", ")}.`,
      data: {
        columns: ["method", ...names, "γ"],
        rows: mixed.map((row) => [
          row.name,
          ...names.map((_, layer) => rounded(row.lambdas[layer])),
          rounded(row.gamma),
        ]),
      },
      paint: (theme) => ({
        traces: names.map((name, layer) => ({
          type: "bar",
          orientation: "h",
          name,
          y: mixed.map((_, number) => number),
          x: mixed.map((row) => rounded(row.lambdas[layer])),
          marker: { color: theme.senses[layer % theme.senses.length] },
          hoverinfo: "x+name",
        })),
        layout: {
          height: 120 + 40 * mixed.length,
          barmode: "stack",
          bargap: 0.4,
          showlegend: true,
          legend: {
            orientation: "h",
            x: 0,
            y: 1,
            yanchor: "bottom",
            traceorder: "normal",
            itemclick: false,
            itemdoubleclick: false,
          },
          margin: { l: 120, r: 24, t: 36, b: 36 },
          xaxis: axis(theme, { rangemode: "tozero" }),
          yaxis: methods(theme, mixed),
        },
      }),
    });
  }

  #uses(map, row) {
    const plane = map?.planes[row?.name] ?? Object.values(map?.planes ?? {}).at(-1);
    this.words.element.hidden = !plane;
    if (!plane) return;
    const name = Object.keys(map.planes).find((each) => map.planes[each] === plane);
    const classes = [...new Set(plane.classes)].sort((one, other) => one - other);
    this.words.heading.textContent = `Uses of “${map.word}”`;
    this.words.show({
      note: `${name}: PCA, by group.`,
      label: `Map of the uses of ${map.word} under ${name}.`,
      data: {
        columns: ["use", "group", "x", "y"],
        rows: plane.points.map(([x, y], place) => [place + 1, plane.classes[place], x, y]),
      },
      paint: (theme) => ({
        traces: classes.map((group, number) => {
          const points = plane.points.filter((_, place) => plane.classes[place] === group);
          return {
            type: "scatter",
            mode: "markers",
            hoverinfo: "none",
            x: points.map(([x]) => x),
            y: points.map(([, y]) => y),
            marker: {
              size: 9,
              color: theme.senses[number % theme.senses.length],
              symbol: SYMBOLS[number % SYMBOLS.length],
            },
          };
        }),
        layout: {
          height: 320,
          margin: { l: 36, r: 12, t: 8, b: 36 },
          xaxis: axis(theme, { title: "PC 1", showticklabels: false }),
          yaxis: axis(theme, { title: "PC 2", showticklabels: false, scaleanchor: "x" }),
        },
      }),
    });
  }

  #classes(study, row) {
    const scored = Object.entries(row?.per_class ?? {});
    this.classes.hidden = !scored.length;
    if (!scored.length) return;
    this.classes.replaceChildren(
      h("h3", {}, `Labels under ${row.name}`),
      table(
        `Labels under ${row.name}`,
        ["Label", "Precision", "Recall", "F1", "Rows"],
        scored.map(([label, each]) => [label, each.precision, each.recall, each.f1, each.rows]),
      ),
    );
  }

  #pairs(pairs) {
    this.pairs.hidden = !pairs.length;
    if (!pairs.length) return;
    const told = (value) => (value === null ? "—" : value < 0.0001 ? "<\u00a00.0001" : value.toFixed(4));
    const sign = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;
    this.pairs.replaceChildren(
      h("h3", {}, "Two by two"),
      h(
        "p",
        { class: "note" },
        "Difference of the test score with its interval, McNemar's test, and the rows that only one of the two got right.",
      ),
      table(
        "Two by two",
        ["First", "Second", "Difference", "Interval", "McNemar p", "Only first", "Only second"],
        pairs.map((pair) => [
          pair.first,
          pair.second,
          sign(pair.difference),
          `${sign(pair.low)}\u00a0to\u00a0${sign(pair.high)}`,
          told(pair.mcnemar),
          pair.only_first ?? "—",
          pair.only_second ?? "—",
        ]),
      ),
    );
  }
}

function choose(select, values, asked) {
  const wanted = asked ?? select.value;
  select.replaceChildren(...values.map((value) => h("option", { value }, value)));
  select.value = values.includes(wanted) ? wanted : (values[0] ?? "");
  return select.value;
}

function compared(one, other) {
  if (one === null || other === null) return (one === null) - (other === null);
  return typeof one === "number" ? one - other : String(one).localeCompare(String(other));
}

const line = (theme, number, name, x, y) => ({
  type: "scatter",
  mode: "lines+markers",
  name: plain(name),
  x,
  y,
  hoverinfo: "x+y+name",
  line: {
    color: theme.senses[number % theme.senses.length],
    width: 2,
    dash: number < theme.senses.length ? "solid" : "dot",
  },
  marker: { size: 8, symbol: SYMBOLS[number % SYMBOLS.length] },
});

const lines = (theme, across, up, count, more = {}) => ({
  height: 300 + 22 * count,
  showlegend: true,
  margin: { l: 52, r: 12, t: 8, b: 44 },
  legend: {
    orientation: "h",
    x: 0,
    y: -0.2,
    yanchor: "top",
    maxheight: 1000,
    itemclick: false,
    itemdoubleclick: false,
  },
  xaxis: axis(theme, { title: across, ...more }),
  yaxis: axis(theme, { title: up }),
});

const methods = (theme, rows) =>
  axis(theme, {
    tickvals: rows.map((_, number) => number),
    ticktext: rows.map((row) => plain(row.name.length > 28 ? `${row.name.slice(0, 27)}…` : row.name)),
    range: [rows.length - 0.5, -0.5],
    showgrid: false,
    tickfont: { size: 13, color: theme.ink },
  });
