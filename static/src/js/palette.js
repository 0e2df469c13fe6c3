// The command palette: a dialog with a combobox (WAI-ARIA 1.2) whose list the server renders, so
// that search has one implementation. Without this script its opener is a link to the search page.
const WAIT = 120;

const dialog = document.getElementById("palette");
if (dialog) {
  const input = dialog.querySelector("input");
  const results = dialog.querySelector("[role=listbox]");
  const status = dialog.querySelector("[role=status]");
  let selected = -1;
  let timer;
  let request;

  const options = () => [...results.querySelectorAll("[role=option]")];

  // Without an index nothing is selected.
  function select(index) {
    const all = options();
    selected = index === undefined || !all.length ? -1 : (index + all.length) % all.length;
    all.forEach((option, at) => option.setAttribute("aria-selected", String(at === selected)));
    const current = all[selected];
    if (current) {
      input.setAttribute("aria-activedescendant", current.id);
      current.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  async function load() {
    request?.abort();
    request = new AbortController();
    const query = new URLSearchParams({ q: input.value });
    try {
      const response = await fetch(`${dialog.dataset.url}?${query}`, { signal: request.signal });
      if (response.redirected || !response.ok) throw new Error(`search: ${response.status}`);
      results.innerHTML = await response.text();
      status.textContent = results.querySelector("[data-announce]")?.dataset.announce ?? "";
      select(0);
    } catch (error) {
      if (error.name === "AbortError") return;
      const note = document.createElement("p");
      note.className = "palette-note";
      note.textContent = dialog.dataset.failed;
      results.replaceChildren(note);
      status.textContent = dialog.dataset.failed;
      select();
    }
  }

  function open() {
    if (dialog.open) return;
    dialog.showModal();
    input.select();
    load();
  }

  input.addEventListener("input", () => {
    // Until the answer is here, Enter goes to the search page: never to what was listed before.
    request?.abort();
    select();
    clearTimeout(timer);
    timer = setTimeout(load, WAIT);
  });

  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") select(selected + 1);
    else if (event.key === "ArrowUp") select(Math.max(selected, 0) - 1);
    else if (event.key === "Enter" && options()[selected]) options()[selected].click();
    // A search field would take the first Escape for itself, to empty itself.
    else if (event.key === "Escape") dialog.close();
    else return;
    event.preventDefault();
  });

  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-palette-opener]") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    open();
  });
}
