// The screenshots of docs/: node checks/screenshots.mjs URL FOLDER
import { createRequire } from "node:module";
const require = createRequire((process.env.NODE_FOLDER ?? process.cwd()) + "/");
const puppeteer = require("puppeteer-core");
const base = (process.argv[2] ?? "http://127.0.0.1:8000").replace(/\/$/, "");
const folder = process.argv[3] ?? "docs/screenshots";
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"],
});
const lead = async (front) => (await (await fetch(base + front)).text()).match(/class="headline"><a href="([^"]+)"/)[1];
const shots = [
  ["front-page", "/", 1280, 1500, "light"],
  ["front-page-arabic", "/ar/", 1280, 1500, "light"],
  ["article", await lead("/"), 1280, 1900, "light"],
  ["article-dark-phone", await lead("/en/"), 360, 1300, "dark"],
  ["section-dark", "/politique/", 1280, 1000, "dark"],
  ["front-page-tablet", "/en/", 768, 1300, "light"],
];
for (const [name, path, width, height, scheme] of shots) {
  const page = await browser.newPage();
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(base + path, { waitUntil: "networkidle0" });
  await page.screenshot({ path: `${folder}/${name}.png` });
  await page.close();
}
await browser.close();
