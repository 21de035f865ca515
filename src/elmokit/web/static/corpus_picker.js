// Which corpus to search, and a file of one's own to search in.

import { ask, Problem } from "./api.js";
import { counted, field, h, newId, say } from "./dom.js";
import { Status } from "./status.js";

export class CorpusPicker {
  /** `none`: what choosing no corpus is called, where that may be chosen. */
  constructor(app, { label, none = null, changed = () => {} }) {
    Object.assign(this, { app, none, changed, corpora: [] });
    this.status = new Status();
    this.select = h("select", { onchange: () => changed() });
    this.file = h("input", {
      type: "file",
      accept: ".txt,text/plain",
      id: newId("file"),
      onchange: () => this.#load(),
    });
    this.element = h(
      "div",
      {},
      field(label, this.select),
      h("div", { class: "field" }, h("label", { for: this.file.id }, "Load a text file of your own"), this.file),
      this.status.element,
    );
  }

  /** Ask what there is; choose `id` where it is among it. */
  async refresh(id = this.select.value) {
    ({ corpora: this.corpora } = await ask("/api/corpora"));
    const options = this.corpora.map((corpus) =>
      h("option", { value: corpus.id }, `${corpus.name} (${counted(corpus.sentences, "sentence")})`),
    );
    if (this.none) options.unshift(h("option", { value: "" }, this.none));
    if (!options.length) options.push(h("option", { value: "" }, "none loaded"));
    if (id && !this.corpora.some((corpus) => corpus.id === id))
      options.push(h("option", { value: id }, "no longer loaded"));
    this.select.replaceChildren(...options);
    this.select.value = id || options[0].value;
  }

  get value() {
    return this.select.value;
  }

  async #load() {
    const [file] = this.file.files;
    if (!file) return;
    const found = await this.status.run(`Reading ${file.name} …`, async (options) => {
      const most = this.app.model.limits.upload_characters;
      const text = await file.text();
      if (!text.trim())
        throw new Problem({ message: `${file.name} is empty.`, hint: "Choose a text file with a sentence or more." });
      if (text.length > most)
        throw new Problem({
          message: `${file.name} holds ${text.length.toLocaleString("en")} characters; expected at most ${most.toLocaleString("en")}.`,
          hint: "Start the server with --corpus FILE for large ones.",
        });
      return ask("/api/corpora", { name: file.name.slice(0, 200), text }, options);
    });
    this.file.value = "";
    if (!found) return;
    await this.refresh(found.id);
    say(`${found.name} is loaded: ${counted(found.sentences, "sentence")}.`);
    this.changed();
  }
}
