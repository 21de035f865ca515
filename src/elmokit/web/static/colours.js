// The colours of pictures, read from the style sheet so that both themes have their own.

const NAMES = ["paper", "panel", "ink", "soft", "line", "grid", "accent", "against"];
const SENSES = 7;
export const SYMBOLS = ["circle", "diamond", "square", "triangle-up", "cross", "triangle-down", "star"];

/** Names to `rgb(…)`, as the page shows them now; `senses` is a list, safe for the colour-blind (Okabe & Ito). */
export function colours() {
  const probe = document.body.appendChild(document.createElement("span"));
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = Object.fromEntries(NAMES.map((name) => [name, read(name)]));
  found.senses = Array.from({ length: SENSES }, (_, number) => read(`sense-${number + 1}`));
  probe.remove();
  return found;
}

/** A share of one colour over another, both `rgb(…)`. */
export function mixed(over, under, share) {
  const [first, second] = [over, under].map((colour) =>
    colour
      .match(/[\d.]+/g)
      .slice(0, 3)
      .map(Number),
  );
  return `rgb(${first.map((value, place) => Math.round(share * value + (1 - share) * second[place])).join(", ")})`;
}

/** A colour scale from the paper to a share of the accent: text on it stays readable up to 0.6. */
export const shades = (theme, most = 0.6) => [
  [0, mixed(theme.accent, theme.panel, 0.04)],
  [1, mixed(theme.accent, theme.panel, most)],
];
