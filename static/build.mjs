// Builds what the browser loads, from src/ and the packages in package.json into dist/:
// one stylesheet, one ES module, one sprite of icons, our own images, and the page of the REST API.
//
// Tabler's stylesheet is many times what we use of it, so every rule whose class no template, tag
// or script mentions is dropped.

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { PurgeCSS } from "purgecss";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const src = join(here, "src");
const dist = join(here, "dist");

const MENTIONS_OF_CLASSES = [
  "templates/**/*.html",
  "dashboard/**/*.py",
  "access/**/*.py",
  "webhooks/**/*.py",
  "static/src/js/**/*.js",
];

// Classes that are put together at run time from a state, a tone or a tool, and htmx's own.
const COMPOSED = [/^(health|banner|tone|mark|pull|htmx|is|of)-/];

async function script() {
  await build({
    entryPoints: [join(src, "js/portolan.js")],
    outfile: join(dist, "portolan.js"),
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "inline",
  });
}

async function stylesheet() {
  const bundled = await build({
    entryPoints: [join(src, "css/portolan.css")],
    bundle: true,
    write: false,
    external: ["*.svg"],
  });
  const [purged] = await new PurgeCSS().purge({
    content: MENTIONS_OF_CLASSES.map((pattern) => join(root, pattern)),
    css: [{ raw: bundled.outputFiles[0].text }],
    safelist: { standard: COMPOSED },
    dynamicAttributes: ["aria-invalid", "value"], // Django's forms write them
    defaultExtractor: (text) => text.match(/[\w-]+/g) ?? [],
    variables: true,
    keyframes: true,
  });
  const { code } = await transform(purged.css, { loader: "css", minify: true });
  await writeFile(join(dist, "portolan.css"), code);
}

// Swagger UI, for the one page that needs it; its classes are its own, and none is dropped.
async function apiDocs() {
  await build({
    entryPoints: [join(src, "js/api-docs.js"), join(src, "css/api-docs.css")],
    outdir: dist,
    entryNames: "[name]",
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "inline",
    loader: { ".svg": "dataurl", ".png": "dataurl" },
  });
}

async function sprite() {
  const names = JSON.parse(await readFile(join(src, "icons.json"), "utf8"));
  const symbols = await Promise.all(names.map(symbol));
  const document = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
  await writeFile(join(dist, "icons.svg"), document);
}

async function symbol(name) {
  const file = join(root, "node_modules/@tabler/icons/icons/outline", `${name}.svg`);
  const drawing = (await readFile(file, "utf8"))
    .replace(/<!--[\s\S]*?-->/g, "")
    .match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1]
    .replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24">${drawing}</symbol>`;
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await Promise.all([
  script(),
  stylesheet(),
  sprite(),
  apiDocs(),
  cp(join(src, "images"), dist, { recursive: true }),
]);
