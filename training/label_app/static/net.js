// Talking to the server: every call carries the token; a page is saved at once, one save at a time.

const token = location.hash.slice(1);

export async function call(path, method = "GET", body = undefined) {
  const text = body && JSON.stringify(body);
  const answer = await fetch(path, {
    method,
    body: text,
    headers: { "X-Linesift-Token": token },
    // lets the last save finish when the tab is closed; browsers allow it for small bodies
    keepalive: method === "PUT" && text.length < 30000,
  });
  const found = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(found.error), { status: answer.status });
  return found;
}

export class Saver {
  // `tell` is called with "saving", "saved" or "failed" and an error; `done` with what came back.
  constructor(tell, done) {
    this.tell = tell;
    this.done = done;
    this.waiting = new Map();
    this.refused = new Set();
    this.busy = false;
  }

  get unsaved() {
    return this.busy || this.waiting.size + this.refused.size > 0;
  }

  // `body` is a function: what is sent is the state when the turn comes.
  save(number, body) {
    this.waiting.set(number, body);
    if (!this.busy) this.run();
  }

  async run() {
    this.busy = true;
    this.tell("saving");
    while (this.waiting.size) {
      const [number, body] = this.waiting.entries().next().value;
      this.waiting.delete(number);
      try {
        this.done(number, await call(`/api/pages/${number}`, "PUT", body()));
        this.refused.delete(number);
      } catch (error) {
        this.failed(number, body, error);
        return;
      }
    }
    this.busy = false;
    this.tell("saved");
  }

  failed(number, body, error) {
    this.busy = false;
    this.tell("failed", error);
    if (error.status && error.status < 500) {
      this.refused.add(number); // trying again would change nothing
      if (this.waiting.size) this.run();
    } else {
      if (!this.waiting.has(number)) this.waiting.set(number, body);
      setTimeout(() => this.busy || this.run(), 1000);
    }
  }
}
