// Lists to choose from: all of a page by the box in its head, a range by Shift.
const boxesOf = (form) => [...form.querySelectorAll("tbody .pick input:not(:disabled)")];

let last = null;

document.addEventListener("click", ({ target, shiftKey }) => {
  const form = target.closest?.("[data-choose]");
  if (!form || target.type !== "checkbox") return;
  const boxes = boxesOf(form);
  if ("chooseAll" in target.dataset) {
    for (const box of boxes) box.checked = target.checked;
    return;
  }
  const [from, to] = [boxes.indexOf(last), boxes.indexOf(target)].sort((a, b) => a - b);
  if (shiftKey && from >= 0) {
    for (const box of boxes.slice(from, to + 1)) box.checked = target.checked;
  }
  last = target;
  const all = form.querySelector("[data-choose-all]");
  if (all) {
    all.checked = boxes.every((box) => box.checked);
    all.indeterminate = !all.checked && boxes.some((box) => box.checked);
  }
});
