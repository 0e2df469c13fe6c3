// Says "Copied" in the button itself, where the eyes are, and then says nothing again.
const SHOWN_FOR = 2000;

document.addEventListener("clipboard-copy", ({ target }) => {
  target.classList.add("is-copied");
  const status = document.getElementById("status");
  if (status) status.textContent = target.dataset.copied ?? "";
  setTimeout(() => {
    target.classList.remove("is-copied");
    if (status) status.textContent = "";
  }, SHOWN_FOR);
});
