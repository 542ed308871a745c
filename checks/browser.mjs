// The kinds of pages in Chromium: axe-core (WCAG 2.2 A and AA, and its best practices) at 1280 and 360 px, by day and
// by night; layout shift while reading to the end; width; what is asked of other hosts; what stands there without
// scripts; and what the console complains of.   node checks/browser.mjs URL      CHROMIUM: the browser's path
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import puppeteer from "puppeteer-core";
import { kinds } from "./kinds.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const base = (process.argv[2] ?? "http://127.0.0.1:8000").replace(/\/$/, "");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const LOOKS = [[1280, "light"], [360, "light"], [360, "dark"]];

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
let looks = 0;
const fault = (path, what) => console.log(`FAULT ${path}: ${what}`);
const paths = Object.values(await kinds(base));
const page = await browser.newPage();
const asked = new Set();
const said = [];
page.on("request", (request) => asked.add(new URL(request.url()).origin));
page.on("console", (message) => { if (["error", "warn"].includes(message.type())) said.push(message.text()); });
page.on("pageerror", (error) => said.push(String(error)));
await page.evaluateOnNewDocument(() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
      if (!one.hadRecentInput) window.shifts.push([one.value, ...one.sources.map((source) => source.node?.nodeName + "." + source.node?.className)]);
    }
  }).observe({ type: "layout-shift", buffered: true });
});
await page.setBypassCSP(true);

for (const path of paths) {
  for (const [width, scheme] of LOOKS) {
    looks += 1;
    const where = `${path} ${width} ${scheme}`;
    asked.clear();
    said.length = 0;
    await page.setViewport({ width, height: 800 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const answer = await page.goto(base + path, { waitUntil: "load" });
    if (scheme === "light") {
      // Read to the end, a screen at a time, so that what loads on the way is there.
      await page.evaluate(async () => {
        const frame = () => new Promise((go) => requestAnimationFrame(() => setTimeout(go, 60)));
        for (let y = 0, steps = 0; y < document.documentElement.scrollHeight && steps < 60; y += 400, steps += 1) {
          window.scrollTo({ top: y, behavior: "instant" });
          await frame();
        }
      });
      const shifts = await page.evaluate(() => window.shifts);
      if (shifts.length) fault(where, `its layout shifts: ${JSON.stringify(shifts.slice(0, 3))}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wide > 0) fault(where, `is ${wide} px wider than the window`);
    }
    const late = await page.evaluate(() => {
      const first = document.querySelector("main img:not([loading=lazy])");
      const early = performance.getEntriesByType("resource").filter((one) => one.initiatorType === "link");
      return first && !early.some((one) => one.name === first.currentSrc) ? first.currentSrc : "";
    });
    if (late) fault(where, `shows ${late}, which it does not preload`);
    await page.evaluate(axe);
    const found = await page.evaluate((rules) => window.axe.run(document, { runOnly: rules, resultTypes: ["violations"] }), RULES);
    for (const one of found.violations) fault(where, `${one.id}: ${one.help}: ${one.nodes[0].html.slice(0, 140)}`);
    for (const origin of asked) if (origin !== base && origin.startsWith("http")) fault(where, `asks ${origin}`);
    // A page that says 404 is told of in the console; everything else there is a fault.
    for (const text of said) if (!/was preloaded/.test(text) && (answer.status() < 400 || !/status of 4\d\d/.test(text))) fault(where, `the console says: ${text}`);
  }
}

// Without scripts: nothing is lost but what only scripts can do.
await page.setJavaScriptEnabled(false);
for (const path of paths) {
  await page.goto(base + path, { waitUntil: "load" });
  const left = await page.evaluate(() => ({
    words: document.querySelector("main").innerText.length,
    dead: [...document.querySelectorAll("button")].filter((one) => one.checkVisibility() && !one.form).length,
  }));
  if (left.words < 40) fault(path, "shows nothing without scripts");
  if (left.dead) fault(path, `has ${left.dead} buttons that do nothing without scripts`);
}
// The policy is in force for real: here nothing passes it by.
const strict = await browser.newPage();
strict.on("console", (message) => { if (/Content.Security.Policy/i.test(message.text())) fault("/", message.text()); });
for (const path of paths.slice(0, 4)) await strict.goto(base + path, { waitUntil: "load" });

console.log(`axe-core ${(await import("axe-core")).default.version}: ${paths.length} pages, ${looks} looks`);
await browser.close();
