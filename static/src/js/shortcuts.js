// "/" goes to the filter of the page, "?" tells the shortcuts. Both leave typing alone, and single
// keys can be turned off by whoever speaks to the computer (WCAG 2.1.4).
const typing = (element) => element?.closest("input, textarea, select, [contenteditable]");
const enabled = () => localStorage.getItem("shortcuts") !== "off";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (!enabled() || document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    const filter = document.querySelector("[data-filter]");
    if (filter) filter.focus();
    else document.querySelector("[data-palette-opener]")?.click();
    event.preventDefault();
  } else if (event.key === "?") {
    document.getElementById("shortcuts")?.showModal();
    event.preventDefault();
  }
});

const toggle = document.querySelector("[data-shortcut-toggle]");
if (toggle) {
  toggle.checked = enabled();
  toggle.addEventListener("change", () => {
    localStorage.setItem("shortcuts", toggle.checked ? "on" : "off");
  });
}
