// On a phone a strip of tabs is longer than the screen: the one at hand is moved into sight.
for (const tabs of document.querySelectorAll(".tabs")) {
  const current = tabs.querySelector("[aria-current]");
  if (current) {
    const { left, width } = current.getBoundingClientRect();
    tabs.scrollLeft += left + width / 2 - tabs.getBoundingClientRect().left - tabs.clientWidth / 2;
  }
}
