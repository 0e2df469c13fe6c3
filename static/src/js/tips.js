// A note that stands at what it belongs to ([data-tip]) is moved in where it would run over the
// edge of the window, or of the box that cuts it off.
const MARGIN = 4;

function keepInside({ target }) {
  const element = target instanceof Element && target.closest("[data-tip]");
  if (!element) {
    return;
  }
  element.style.removeProperty("--tip-shift");
  const note = getComputedStyle(element, "::after");
  const width = parseFloat(note.width);
  if (!width) {
    return;
  }
  const box = element.getBoundingClientRect();
  const fromEnd = box.right - parseFloat(note.right) - width;
  const left = note.left === "auto" ? fromEnd : box.left + parseFloat(note.left);
  const [from, to] = room(element);
  const shift = Math.max(from + MARGIN - left, Math.min(0, to - MARGIN - left - width));
  if (shift) {
    element.style.setProperty("--tip-shift", `${Math.round(shift)}px`);
  }
}

function room(element) {
  let from = 0;
  let to = document.documentElement.clientWidth;
  for (let box = element.parentElement; box !== document.body; box = box.parentElement) {
    if (getComputedStyle(box).overflowX !== "visible") {
      const { left, right } = box.getBoundingClientRect();
      from = Math.max(from, left);
      to = Math.min(to, right);
    }
  }
  return [from, to];
}

for (const event of ["mouseover", "focusin"]) {
  document.addEventListener(event, keepInside);
}
