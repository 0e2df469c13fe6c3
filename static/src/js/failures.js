// What htmx leaves unsaid: a request that failed, and a session that ended while a page was open.
const banner = document.getElementById("failed");
const path = (address) => new URL(address, location.href).pathname;

function show() {
  if (banner) banner.hidden = false;
}

document.addEventListener("htmx:responseError", show);
document.addEventListener("htmx:sendError", show);

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (banner && detail.successful) banner.hidden = true;
});

// No list is answered with a redirect but to the sign-in, which must not stand inside a list.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  if (!xhr.responseURL || path(xhr.responseURL) === path(pathInfo.finalRequestPath)) return;
  event.preventDefault();
  location.reload();
});
