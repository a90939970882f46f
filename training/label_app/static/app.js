// Which page is open, what was said of its lines, and what can be undone.

import { listen } from "./input.js";
import { call, Saver } from "./net.js";
import { PageView } from "./page.js";

const $ = (id) => document.getElementById(id);
const view = new PageView($("lines"), $("text"));
const kept = new Map(); // states of pages that were open, by number: going back can undo there
let session, number, page, state;

const saver = new Saver(
  (what, error) => {
    $("saved").dataset.state = what;
    $("saved").textContent = { saving: "Saving …", saved: "✓ Saved", failed: "Not saved" }[what];
    trouble(error && (error.status ? error.message : "The server does not answer; trying again."));
  },
  (at, found) => {
    kept.get(at).revision = found.revision;
    session.pages[at] = found;
    drawProgress();
  });

function trouble(message) {
  $("trouble").hidden = !message;
  $("trouble").textContent = message || "";
}

// ---- pages

async function open(at, line = null) {
  let found;
  try {
    found = await call(`/api/pages/${at}`);
  } catch (error) {
    trouble(error.status ? error.message : "The server does not answer.");
    return;
  }
  number = at;
  page = found;
  state = kept.get(at);
  // what the tab has is newer while it is being saved, and older if another tab saved
  if (!state || (state.revision !== page.revision && !saver.unsaved)) state = fresh();
  kept.set(at, state);
  view.budget = session.budget;
  fillFacts();
  view.open(page, state);
  state.cursor = state.anchor = line === "unsure" ? (unsureFrom(-1) ?? first()) : (line ?? state.cursor);
  draw(false);
  drawProgress();
  $("lines").scrollTop = 0;
  view.reveal(line === null ? "nearest" : "center");
  $("lines").focus({ preventScroll: true });
}

function fresh() {
  const { labels, headline, done, header, revision } = page;
  const cursor = [...labels].findIndex((label) => label !== ".");
  return { labels: [...labels], headline, noHeadline: done && headline === null, done, header, revision,
    cursor, anchor: cursor, past: [], future: [] };
}

const first = () => state.labels.findIndex((label) => label !== ".");

function save() {
  const [at, mine] = [number, state];
  saver.save(at, () => ({
    revision: mine.revision, labels: mine.labels.join(""), headline: mine.headline,
    done: mine.done, header: mine.header,
  }));
}

function nextPage(step) {
  const at = number + step;
  return at >= 0 && at < session.pages.length ? open(at) : null;
}

// ---- changes

const snapshot = () => ({ labels: state.labels.join(""), headline: state.headline,
  noHeadline: state.noHeadline, done: state.done, cursor: state.cursor, anchor: state.anchor });

function change(edit) {
  const before = snapshot();
  edit();
  const now = snapshot();
  if (["labels", "headline", "noHeadline", "done"].every((key) => before[key] === now[key])) return;
  state.past.push(before);
  if (state.past.length > 500) state.past.shift();
  state.future = [];
  draw();
  save();
}

function restore(from, to) {
  const found = from.pop();
  if (!found) return;
  to.push(snapshot());
  Object.assign(state, found, { labels: [...found.labels] });
  draw();
  view.reveal();
  save();
}

function put(label, lines = view.range()) {
  change(() => {
    for (let i = lines[0]; i < lines[1]; i++) {
      if (view.blank(i)) continue;
      if (label === "B" && view.headline() === i) [state.headline, state.noHeadline] = [null, true];
      state.labels[i] = label ?? view.label(i);
    }
  });
}

function toggleHeadline() {
  const { cursor } = state;
  change(() => {
    const off = view.headline() === cursor;
    state.headline = off ? null : cursor;
    state.noHeadline = off;
    if (!off) state.labels[cursor] = "C";
  });
}

function accept() {
  change(() => {
    state.headline = view.headline();
    state.noHeadline = state.headline === null;
    state.labels = state.labels.map((label, i) => (label === "_" ? view.label(i) : label));
    state.done = true;
  });
  const left = (i) => !session.pages[i].done && i !== number;
  const after = session.pages.findIndex((_, i) => i > number && left(i));
  const at = after >= 0 ? after : session.pages.findIndex((_, i) => left(i));
  if (at >= 0) return open(at);
  $("where").textContent = "That was the last page: all pages are done.";
  return null;
}

// ---- moving

function move(step, extend) {
  const size = state.labels.length;
  let at = state.cursor;
  for (let left = Math.abs(step); left > 0; left--) {
    let to = at + Math.sign(step);
    while (to >= 0 && to < size && view.blank(to)) to += Math.sign(step);
    if (to < 0 || to >= size) break;
    at = to;
  }
  moveTo(at, extend);
}

function moveTo(at, extend = false, block = "nearest") {
  state.cursor = at;
  if (!extend) state.anchor = at;
  draw(false);
  view.reveal(block);
}

function unsureFrom(at, step = 1) {
  const size = state.labels.length;
  for (let k = 1; k <= size; k++) {
    const i = (((at + step * k) % size) + size) % size;
    if (view.unsure(i, session.budget)) return i;
  }
  return null;
}

function nextUnsure(step = 1) {
  const at = unsureFrom(state.cursor, step);
  if (at !== null) return moveTo(at, false, "center");
  const count = session.pages.length;
  for (let k = 1; k < count; k++) {
    const i = (((number + step * k) % count) + count) % count;
    const { wanted, done, open: unjudged } = session.pages[i];
    if (session.budget ? wanted : !done && unjudged) return open(i, "unsure");
  }
  $("where").textContent = "No unsure line is left.";
  return null;
}

// ---- drawing

function draw(labels = true) {
  view.refresh(labels);
  $("where").textContent = view.describe();
  $("undo").disabled = !state.past.length;
  $("redo").disabled = !state.future.length;
  $("previous").disabled = number === 0;
  $("next").disabled = number === session.pages.length - 1;
  const lines = $("text").childElementCount;
  $("words").textContent = `${lines.toLocaleString("en")} of ${page.lines.toLocaleString("en")} lines`;
  $("nothing").hidden = lines > 0;
}

function drawProgress() {
  const { pages, budget } = session;
  const done = pages.filter((each) => each.done).length;
  const left = pages.reduce((sum, each) => sum + each.wanted, 0);
  const [part, whole] = budget ? [budget - left, budget] : [done, pages.length];
  $("progress").max = whole;
  $("progress").value = part;
  $("count").textContent = `${part} of ${whole} ${budget ? "chosen lines" : "pages"} done`;
  pages.forEach((each, i) => {
    const mark = each.done ? "✓" : each.open < each.lines ? "◐" : "";
    const text = `${i + 1}. ${each.name} ${mark}`;
    const option = $("pages").options[i];
    if (option.text !== text) option.text = text;
  });
  $("pages").value = number;
  document.title = `${pages[number].name}: label`;
}

function fillFacts() {
  for (const field of $("facts").querySelectorAll("input, select")) {
    const value = state.header[field.name];
    if (field.options && value && ![...field.options].some((each) => each.value === value)) {
      field.add(new Option(value, value));
    }
    field.value = value;
  }
}

// ---- what there is to do, by key

const screenful = () => Math.max(1, Math.floor($("lines").clientHeight / 30));
const KEYS = {
  ArrowDown: (e) => move(1, e.shiftKey),
  ArrowUp: (e) => move(-1, e.shiftKey),
  PageDown: (e) => move(screenful(), e.shiftKey),
  PageUp: (e) => move(-screenful(), e.shiftKey),
  Home: (e) => move(-state.labels.length, e.shiftKey),
  End: (e) => move(state.labels.length, e.shiftKey),
  Escape: () => moveTo(state.cursor),
  " ": () => { put(null); return nextUnsure(); },
  Enter: accept,
  c: () => put("C"),
  b: () => put("B"),
  "?": () => put("?"),
  h: toggleHeadline,
  n: () => nextUnsure(),
  N: () => nextUnsure(-1),
  u: () => restore(state.past, state.future),
  r: () => restore(state.future, state.past),
  "]": () => nextPage(1),
  "[": () => nextPage(-1),
  p: () => document.body.classList.toggle("no-preview"),
};

function say(name, value) {
  state.header = { ...state.header, [name]: value };
  save();
}

function dragTo(at) {
  if (at === state.cursor) return;
  state.cursor = at;
  draw(false);
}

function flip(at) {
  moveTo(at);
  put(view.label(at) === "C" ? "B" : "C");
}

// ---- start

try {
  session = await call("/api/session");
  $("pages").append(...session.pages.map((_, i) => new Option("", i)));
  $("facts").querySelector("select").append(...session.kinds.map((kind) => new Option(kind, kind)));
  await open(session.at);
  listen({ keys: KEYS, view, open, moveTo, dragTo, flip, say, unsaved: () => saver.unsaved });
} catch (error) {
  trouble(error.status ? `${error.message}.` : "The server does not answer; start it again.");
}
