// axe-core over the kinds of pages at 1280 and 360 px, by day and by night, and Lighthouse where it is installed.
//   NODE_PATH=… node checks/browser.mjs URL      CHROMIUM: the browser's path
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const require = createRequire((process.env.NODE_FOLDER ?? process.cwd()) + "/");
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const base = (process.argv[2] ?? "http://127.0.0.1:8000").replace(/\/$/, "");

const first = async (path, kind) => {
  const text = await (await fetch(base + path)).text();
  const match = text.match(kind);
  return match ? match[1] : null;
};
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const paths = ["/", "/en/", "/ar/", "/politique/", "/ar/sciences/", "/archive/", "/search?q=pont", "/contact", "/nowhere"];
for (const front of ["/", "/en/", "/ar/"]) {
  const article = await first(front, /class="headline"><a href="([^"]+)"/);
  if (article) paths.push(article);
}
const tag = await first(paths.at(-3), /rel="tag" href="([^"]+)"/);
if (tag) paths.push(tag);
let faults = 0;
for (const path of paths) {
  for (const width of [1280, 360]) {
    for (const scheme of ["light", "dark"]) {
      const page = await browser.newPage();
      await page.setBypassCSP(true);
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      const asked = new Set();
      page.on("request", (request) => asked.add(new URL(request.url()).origin));
      await page.goto(base + path, { waitUntil: "networkidle0" });
      await page.evaluate(axe);
      const found = await page.evaluate(() =>
        window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      for (const one of found.violations) {
        faults += 1;
        console.log(`${path} ${width} ${scheme}: ${one.id}: ${one.help}: ${one.nodes[0].html.slice(0, 140)}`);
      }
      if (wide) { faults += 1; console.log(`${path} ${width} ${scheme}: wider than the window`); }
      for (const origin of asked) if (origin !== base && !origin.startsWith("data")) {
        faults += 1; console.log(`${path}: asks ${origin}`);
      }
      await page.close();
    }
  }
}
console.log(`axe: ${paths.length} pages at 2 widths, light and dark: ${faults} violations`);
await browser.close();
process.exit(faults ? 1 : 0);
