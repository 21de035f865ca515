// What a view is doing: waiting, failed, or done. One request at a time: a newer one ends the older.

import { h, say } from "./dom.js";

export class Status {
  #controller = null;
  #timer = 0;

  constructor() {
    this.element = h("div", { class: "status" });
  }

  /** The result of `work(options for ask)`, or undefined where it failed or a newer run took over. */
  async run(text, work, { again } = {}) {
    this.#controller?.abort();
    const controller = (this.#controller = new AbortController());
    const { signal } = controller;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show("waiting", text), 150); // quick answers do not flicker
    try {
      const found = await work({ signal, busy: (told) => signal.aborted || this.#show("waiting", told) });
      if (signal.aborted) return undefined;
      this.clear();
      return found;
    } catch (error) {
      if (!signal.aborted) this.fail(error, again);
      return undefined;
    }
  }

  /** Forget what is under way. */
  stop() {
    this.#controller?.abort();
    this.clear();
  }

  clear() {
    clearTimeout(this.#timer);
    this.element.replaceChildren();
  }

  fail(error, again) {
    clearTimeout(this.#timer);
    const button = again && h("button", { type: "button", onclick: again }, "Try again");
    const hint = error.hint && h("p", {}, error.hint);
    this.element.replaceChildren(
      h("div", { class: "problem", role: "alert" }, h("p", {}, h("strong", {}, error.message)), hint, button),
    );
  }

  #show(kind, text) {
    this.element.replaceChildren(h("p", { class: kind }, text));
    say(text);
  }
}

/** A part that the server was not started with, and the command that gives it. */
export function missing(title, text, command) {
  return h(
    "section",
    { class: "missing" },
    h("h2", {}, title),
    h("p", {}, text),
    h("pre", { tabindex: "0" }, h("code", {}, command)),
  );
}
