// Remembers which tool a person pulls with.
const KEY = "pull-tool";

function choose() {
  const chosen = document.querySelector(`[data-tool][value="${localStorage.getItem(KEY)}"]`);
  if (chosen) chosen.checked = true;
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-tool]")) localStorage.setItem(KEY, target.value);
});

choose();
