// The page: which view is shown, what the address holds, the theme.

import { ask } from "./api.js";
import { repaint } from "./charts.js";
import { ClassifyView } from "./classify.js";
import { CompareView } from "./compare.js";
import { counted, h, say } from "./dom.js";
import { LanguageModelView } from "./language_model.js";
import { NeighboursView } from "./neighbours.js";
import { SensesView } from "./senses.js";
import { Status } from "./status.js";

const VIEWS = [SensesView, NeighboursView, LanguageModelView, ClassifyView, CompareView];
const THEMES = { auto: "light", light: "dark", dark: "auto" }; // each with the next

const main = document.getElementById("view");
const tabs = new Map();

/** What views know of the page. */
const app = {
  model: null,
  examples: null,
  opening: null, // the example that convinces, and its layer

  /** Put a view's inputs into the address: as a new entry of the history, or (`replace`) in place of the last. */
  remember(id, params, { replace = false } = {}) {
    const address = `#${id}${String(params) && `?${params}`}`;
    tabs.get(id).link.href = address;
    if (location.hash !== address) history[replace ? "replaceState" : "pushState"](null, "", address);
  },
};

/** The view and its inputs that the address names. */
function asked() {
  const [id, ...rest] = location.hash.slice(1).split("?");
  return { id: tabs.has(id) ? id : VIEWS[0].id, params: new URLSearchParams(rest.join("?")) };
}

function route({ focus = true } = {}) {
  const { id, params } = asked();
  const tab = tabs.get(id);
  for (const other of tabs.values()) {
    if (other === tab) other.link.setAttribute("aria-current", "page");
    else other.link.removeAttribute("aria-current");
  }
  tab.view ??= new tab.View(app);
  tab.link.parentElement.scrollLeft = tab.link.offsetLeft - tab.link.parentElement.clientWidth / 2;
  document.title = `${tab.View.title} · elmokit explorer`;
  const changed = main.firstElementChild !== tab.view.element;
  if (changed) main.replaceChildren(tab.view.element);
  if (changed && focus) {
    main.focus({ preventScroll: true });
    say(`${tab.View.title} view`);
  }
  tab.view.show(params);
}

/** Whether there is more of the tabs to the left or right than is seen. */
function edges() {
  const bar = document.getElementById("tabs");
  const tell = () => {
    bar.classList.toggle("before", bar.scrollLeft > 2);
    bar.classList.toggle("more", bar.scrollLeft + bar.clientWidth < bar.scrollWidth - 2);
  };
  bar.addEventListener("scroll", tell, { passive: true });
  new ResizeObserver(tell).observe(bar);
}

/** Put the address of what is shown on the clipboard. */
function link() {
  const button = document.getElementById("link");
  const name = button.textContent;
  const tell = (text) => {
    button.textContent = text;
    say(text);
    setTimeout(() => (button.textContent = name), 2500);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      tell("Copied");
    } catch {
      tell("Copy it from the address bar"); // no clipboard: another host over plain http, or not allowed
    }
  });
}

function theme() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const tell = () => (button.textContent = `Theme: ${root.dataset.theme ?? "auto"}`);
  button.addEventListener("click", () => {
    const next = THEMES[root.dataset.theme ?? "auto"];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // storage is switched off: the choice lasts as long as the page
    }
    tell();
    repaint();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  tell();
}

async function start() {
  const status = new Status();
  main.replaceChildren(status.element);
  const found = await status.run(
    "Asking the server what it has loaded …",
    (options) => Promise.all([ask("/api/model", undefined, options), ask("/api/examples", undefined, options)]),
    { again: start },
  );
  if (!found) return;
  [app.model, app.examples, app.opening] = [found[0], found[1].words, found[1].opening];
  const { name, n_layers: layers, dim, parameters } = app.model;
  document
    .getElementById("model")
    .replaceChildren(
      h("strong", {}, name),
      ` ${counted(layers, "layer")} · ${dim} dimensions · ${(parameters / 1e6).toFixed(1)} M parameters`,
    );
  addEventListener("hashchange", () => route()); // back and forward too: addresses differ behind the # alone
  route({ focus: false });
}

for (const View of VIEWS) {
  const link = h("a", { href: `#${View.id}` }, View.title);
  document.getElementById("tabs").append(link);
  tabs.set(View.id, { View, link, view: null });
}
edges();
link();
theme();
start();
