// The screenshots of docs/, of the demo newspaper: node checks/screenshots.mjs URL FOLDER
import puppeteer from "puppeteer-core";
import { kinds } from "./kinds.mjs";

const base = (process.argv[2] ?? "http://127.0.0.1:8000").replace(/\/$/, "");
const folder = process.argv[3] ?? "docs/screenshots";
const found = await kinds(base);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"],
});
const shots = [
  ["front-page", "front", 1280, 1700, "light"],
  ["front-page-arabic", "front-ar", 1280, 1500, "light"],
  ["front-page-english-tablet", "front-en", 768, 1400, "dark"],
  ["front-page-phone", "front", 360, 1400, "light"],
  ["article", "article", 1280, 1900, "light"],
  ["article-arabic-phone", "article-ar", 360, 1400, "dark"],
  ["article-correction-tablet", "correction", 768, 1700, "light"],
  ["section-dark", "section", 1280, 1000, "dark"],
  ["search-arabic-tablet", "search-ar", 768, 900, "light"],
];
for (const [name, kind, width, height, scheme] of shots) {
  const page = await browser.newPage();
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(base + found[kind], { waitUntil: "networkidle0" });
  await page.screenshot({ path: `${folder}/${name}.webp`, type: "webp", quality: 80 });
  await page.close();
}
await browser.close();
