// The page of the REST API: the description, to read and to try out as who is signed in.
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";

const place = document.getElementById("api-docs");
const wantsDark = matchMedia("(prefers-color-scheme: dark)");

// Swagger UI has a class for what the rest of the page says by `color-scheme`.
function followTheme() {
  const theme = document.documentElement.dataset.theme;
  const dark = theme === "dark" || (theme !== "light" && wantsDark.matches);
  document.documentElement.classList.toggle("dark-mode", dark);
}

// Every operation refers to the same dozen problems: a page that repeated them would show little else.
function withProblemsInOneLine(description) {
  for (const operations of Object.values(description.paths)) {
    for (const operation of Object.values(operations)) {
      const codes = Object.keys(operation.responses).filter(
        (code) => operation.responses[code].$ref,
      );
      for (const code of codes) delete operation.responses[code];
      operation.responses["4XX"] = { description: `${place.dataset.problems} ${codes.join(", ")}` };
    }
  }
  return description;
}

// Swagger UI writes “Examples” beside the choice of one, and does not say that it is its name.
function nameExamples() {
  for (const choice of place.querySelectorAll("select.examples-select-element:not([aria-label])")) {
    choice.setAttribute("aria-label", place.dataset.examples);
  }
}

async function show() {
  const answer = await fetch(place.dataset.url);
  if (!answer.ok) throw new Error(answer.statusText);
  SwaggerUI({
    domNode: place,
    spec: withProblemsInOneLine(await answer.json()),
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    filter: true,
    syntaxHighlight: { activated: false },
    validatorUrl: null,
    // The browser's session signs in; a change also has to show that it comes from our page.
    requestInterceptor(request) {
      request.headers["X-CSRFToken"] = place.dataset.csrf;
      return request;
    },
  });
}

followTheme();
wantsDark.addEventListener("change", followTheme);
new MutationObserver(followTheme).observe(document.documentElement, {
  attributeFilter: ["data-theme"],
});
new MutationObserver(nameExamples).observe(place, { childList: true, subtree: true });
show().catch(() => {
  document.getElementById("failed").hidden = false;
});
