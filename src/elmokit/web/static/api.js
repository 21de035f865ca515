// The server's API: JSON there and back, errors as one kind, patience where it is busy.

const TRIES = 5;

/** What went wrong, as the server tells it: `message`, `hint`, and the `field` it lies in. */
export class Problem extends Error {
  constructor({ message, hint = null, field = null, code = null, status = 0 }) {
    super(message);
    Object.assign(this, { hint, field, code, status });
  }
}

const pause = (seconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

/** GET, or POST where there is a body. A busy server is asked again; `busy` is told so. */
export async function ask(path, body, { signal, busy } = {}) {
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  const options =
    body === undefined
      ? { signal }
      : { method: "POST", headers: { "Content-Type": "application/json" }, body: sent, signal };
  for (let attempt = 1; ; attempt++) {
    const answer = await reached(path, options);
    if (answer.status === 503 && attempt < TRIES) {
      const wait = Math.min(Number(answer.headers.get("Retry-After")) || 1, 10);
      busy?.(`The server is busy; asking again in ${wait} s (${attempt} of ${TRIES - 1}) …`);
      await pause(wait, signal);
      continue;
    }
    const content = await answer.json().catch(() => null);
    if (answer.ok && content !== null) return content;
    throw new Problem({ message: `The server answered ${answer.status}.`, ...content?.error, status: answer.status });
  }
}

async function reached(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem({ message: "The server does not answer.", hint: "Is elmo serve still running?" });
  }
}
