// The page on the screen: its lines, the labels on them, and the content as it comes out.

const SIGN = { C: "+", B: "−", "?": "?" };
const NAME = { C: "content", B: "boilerplate", "?": "left open" };
const UNSURE = [0.15, 0.85];

// Signs without a shape of their own are shown by the pictures that Unicode has for them.
const shown = (line) =>
  line.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (c) =>
    c === "\x7f" ? "\u2421" : String.fromCharCode(0x2400 + c.charCodeAt(0)));

export class PageView {
  constructor(list, text) {
    this.list = list;
    this.text = text;
    this.rows = [];
  }

  // `page` is what the server sent; `state` has labels, headline, noHeadline, cursor and anchor.
  open(page, state) {
    this.page = page;
    this.state = state;
    this.wanted = new Set(page.wanted);
    this.drawn = [];
    this.taken = [0, 0];
    this.paragraphs = [];
    this.rows = page.text.map((line, i) => this.row(line, i));
    const all = document.createDocumentFragment();
    all.append(...this.rows);
    this.list.replaceChildren(all);
    this.text.replaceChildren();
    this.refresh();
  }

  row(line, i) {
    const row = document.createElement("div");
    row.dataset.line = i;
    row.dataset.no = i + 1;
    if (this.blank(i)) {
      row.className = "row blank";
      row.setAttribute("role", "presentation");
      return row;
    }
    row.id = `line-${i}`;
    row.setAttribute("role", "option");
    const sign = document.createElement("span");
    sign.className = "sign";
    const said = document.createElement("span");
    said.className = "said";
    said.textContent = shown(line);
    const chance = document.createElement("span");
    chance.className = "chance";
    const p = this.page.probability[i];
    chance.textContent = p === null ? "" : p.toFixed(2);
    chance.style.setProperty("--p", p ?? 0);
    if (this.page.cut[i]) said.append(this.more(i));
    row.append(sign, said, chance);
    return row;
  }

  more(i) {
    const more = document.createElement("span");
    more.className = "more";
    more.textContent = ` … ${this.page.cut[i].toLocaleString("en")} characters in all`;
    return more;
  }

  blank(i) {
    return this.page.labels[i] === ".";
  }

  judged(i) {
    return this.state.labels[i] !== "_";
  }

  label(i) {
    return this.judged(i) ? this.state.labels[i] : this.page.suggested[i];
  }

  // Not judged, and either chosen to be labelled next or, where nothing was chosen, doubtful.
  unsure(i, budget) {
    if (this.blank(i) || this.judged(i)) return false;
    const p = this.page.probability[i];
    return budget ? this.wanted.has(i) : p !== null && p > UNSURE[0] && p < UNSURE[1];
  }

  headline() {
    const { headline, noHeadline } = this.state;
    if (headline !== null || noHeadline) return headline;
    const top = this.page.suggested_headline;
    return top !== null && this.label(top) === "C" ? top : null;
  }

  range() {
    const { cursor, anchor } = this.state;
    return [Math.min(cursor, anchor), Math.max(cursor, anchor) + 1];
  }

  // Draw what has changed: all lines may have, or only where the cursor is and what it takes.
  refresh(labels = true) {
    const [start, stop] = this.range();
    const [from, to] = labels ? [0, this.rows.length] :
      [Math.min(start, this.taken[0]), Math.max(stop, this.taken[1])];
    if (labels) this.top = this.headline();
    for (let i = from; i < to; i++) this.redraw(i, i >= start && i < stop, stop - start > 1);
    if (labels) this.refreshText();
    this.taken = [start, stop];
    this.list.setAttribute("aria-activedescendant", `line-${this.state.cursor}`);
    this.marked?.classList.remove("cursor");
    this.marked = this.paragraphs[this.state.cursor];
    this.marked?.classList.add("cursor");
  }

  redraw(i, chosen, range) {
    if (this.blank(i)) return;
    const row = this.rows[i];
    const label = this.label(i);
    let names = "row";
    if (this.judged(i)) names += " judged";
    else if (this.unsure(i, this.budget)) names += " unsure";
    if (i === this.top) names += " headline";
    if (chosen && range) names += " chosen";
    if (i === this.state.cursor) names += " cursor";
    if (this.drawn[i] === label + names) return;
    this.drawn[i] = label + names;
    row.className = names;
    row.dataset.label = label;
    row.setAttribute("aria-selected", chosen);
    row.firstChild.textContent = i === this.top ? "H" : SIGN[label];
  }

  // Put in and take out paragraphs from the end, so that each finds the one that it stands before.
  refreshText() {
    let after = null;
    let gap = false;
    for (let i = this.rows.length - 1; i >= 0; i--) {
      if (this.blank(i)) {
        gap = true;
        continue;
      }
      const old = this.paragraphs[i];
      if (this.label(i) !== "C") {
        if (old?.isConnected) old.remove();
        continue;
      }
      after?.classList.toggle("gap", gap);
      gap = false;
      const p = old ?? this.paragraph(i);
      if (!p.isConnected) this.text.insertBefore(p, after);
      p.classList.toggle("headline", i === this.top);
      after = p;
    }
    after?.classList.remove("gap");
  }

  paragraph(i) {
    const p = document.createElement("p");
    p.dataset.line = i;
    p.textContent = shown(this.page.text[i]);
    if (this.page.cut[i]) p.append(this.more(i));
    this.paragraphs[i] = p;
    return p;
  }

  reveal(block = "nearest") {
    this.rows[this.state.cursor]?.scrollIntoView({ block });
    const p = this.paragraphs[this.state.cursor];
    if (p?.isConnected) p.scrollIntoView({ block: "nearest" });
  }

  describe() {
    const [start, stop] = this.range();
    const { cursor } = this.state;
    const p = this.page.probability[cursor];
    const taken = stop - start > 1 ? ` · ${stop - start} lines taken` : "";
    const chance = p === null ? "" : ` ${p.toFixed(2)}`;
    const said = this.judged(cursor) ? `judged (model${chance})` : `says the model (${chance.trim()})`;
    const what = cursor === this.headline() ? "headline" : NAME[this.label(cursor)];
    return `Line ${cursor + 1}: ${what}, ${said}${taken}`;
  }
}
