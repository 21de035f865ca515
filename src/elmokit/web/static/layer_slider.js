// A slider through the layers, with the name of each and a word about it underneath.

import { h, newId } from "./dom.js";

export class LayerSlider {
  /** `moved(number)` is called with the place in the list of layers, `play()` by a button that is there if it is. */
  constructor(moved, { play = null } = {}) {
    this.moved = moved;
    const button = play && h("button", { type: "button", class: "quiet", onclick: play }, "Play");
    this.input = h("input", { type: "range", min: 0, step: 1, id: newId("layer"), oninput: () => this.#move() });
    this.ticks = h("ol", { class: "stops", "aria-hidden": "true" });
    this.element = h(
      "div",
      { class: "slider" },
      h("div", { class: "name" }, h("label", { for: this.input.id }, "Layer"), button),
      h("div", { class: "track" }, this.input, this.ticks),
    );
  }

  /** `layers`: names, each with a `note` or none. */
  show(layers, number) {
    this.layers = layers;
    this.input.max = layers.length - 1;
    this.input.value = number;
    this.element.style.setProperty("--layers", layers.length);
    this.ticks.replaceChildren(
      ...layers.map(({ name, note }, place) =>
        h("li", { onclick: () => this.#jump(place) }, h("span", {}, name), note && h("small", {}, note)),
      ),
    );
    this.#tell();
  }

  /** Show another layer, `moved` not called. */
  set(number) {
    this.input.value = number;
    this.#tell();
  }

  get number() {
    return Number(this.input.value);
  }

  #jump(place) {
    this.input.value = place;
    this.#move();
  }

  #move() {
    this.#tell();
    this.moved(this.number);
  }

  #tell() {
    const { name, note } = this.layers[this.number];
    this.input.setAttribute("aria-valuetext", note ? `${name}, ${note}` : name);
    [...this.ticks.children].forEach((tick, place) => tick.classList.toggle("here", place === this.number));
  }
}

/** The layer an address names, or the last there is. */
export function layerOf(params, count) {
  const asked = Number(params.get("layer") ?? count - 1);
  return Number.isInteger(asked) && asked >= 0 && asked < count ? asked : count - 1;
}
