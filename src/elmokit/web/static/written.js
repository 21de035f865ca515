// A sentence as it was written, found again from its words.

/** Where each word stands in the text: `[start, end]` each, or null where the text was changed before it was split. */
export function spans(words, text) {
  let from = 0;
  const found = [];
  for (const word of words) {
    const start = text.indexOf(word, from);
    if (start < 0 || text.slice(from, start).trim()) return null;
    from = start + word.length;
    found.push([start, from]);
  }
  return found;
}

/** What stands before a word, the word, and what stands after it. Without the text, words with spaces between. */
export function parts({ words, place, text }) {
  const found = text && spans(words, text);
  if (!found) return [words.slice(0, place).map((word) => `${word} `).join(""), words[place], words.slice(place + 1).map((word) => ` ${word}`).join("")];
  const [start, end] = found[place];
  return [text.slice(0, start), text.slice(start, end), text.slice(end)];
}

/** The whole sentence. */
export const whole = (use) => parts(use).join("").trim();
