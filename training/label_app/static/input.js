// Keys, mouse and buttons.

const $ = (id) => document.getElementById(id);

const BUTTONS = { content: "c", boilerplate: "b", open: "?", headline: "h", undo: "u", redo: "r",
  unsure: "n", accept: "Enter", previous: "[", next: "]" };

export function listen(does) {
  // One after the other: a key that comes while a page is being opened is meant for that page.
  let turn = Promise.resolve();
  const act = (what) => {
    turn = turn.then(what).catch((error) => console.error(error));
  };

  onKeys(does, act);
  onDrag(does);
  for (const [id, key] of Object.entries(BUTTONS)) {
    $(id).addEventListener("click", (event) => {
      act(() => does.keys[key](event));
      $("lines").focus({ preventScroll: true });
    });
  }
  $("lines").addEventListener("click", (event) => {
    const at = lineAt(does.view, event.target);
    if (at !== null && event.target.className === "sign") act(() => does.flip(at));
  });
  $("text").addEventListener("click", (event) => {
    const at = lineAt(does.view, event.target);
    if (at !== null) act(() => does.moveTo(at, false, "center"));
  });
  $("pages").addEventListener("change", () => {
    const at = Number($("pages").value);
    act(() => does.open(at));
  });
  $("facts").addEventListener("input", ({ target }) => act(() => does.say(target.name, target.value)));
  $("facts").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    if (!$("facts").contains(event.target)) $("facts").open = false;
  });
  addEventListener("beforeunload", (event) => {
    if (does.unsaved()) event.preventDefault();
  });
}

function onKeys(does, act) {
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.altKey || target.closest("input, select, details")) return;
    if (target.closest("button") && (event.key === "Enter" || event.key === " ")) return;
    if ($("preview").contains(target) && /^(Arrow|Page|Home|End)/.test(event.key)) return;
    let { key } = event;
    if (event.ctrlKey || event.metaKey) key = { z: event.shiftKey ? "r" : "u", Z: "r", y: "r" }[key];
    if (!Object.hasOwn(does.keys, key ?? "")) return;
    event.preventDefault();
    act(() => does.keys[key](event));
  });
}

function lineAt(view, target) {
  const row = target?.closest?.("[data-line]");
  const at = row ? Number(row.dataset.line) : -1;
  return at >= 0 && !view.blank(at) ? at : null;
}

function onDrag(does) {
  let dragging = false;
  $("lines").addEventListener("pointerdown", (event) => {
    const at = lineAt(does.view, event.target);
    if (event.button || at === null || event.target.className === "sign") return;
    dragging = event.pointerType !== "touch";
    does.moveTo(at, event.shiftKey);
  });
  document.addEventListener("pointermove", (event) => {
    if (!dragging) return;
    const box = $("lines").getBoundingClientRect();
    const y = Math.min(Math.max(event.clientY, box.top + 8), box.bottom - 8);
    if (y !== event.clientY) $("lines").scrollBy(0, event.clientY - y);
    const at = lineAt(does.view, document.elementFromPoint(box.left + 80, y));
    if (at !== null) does.dragTo(at);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => { dragging = false; });
  }
}
