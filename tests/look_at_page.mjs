// Looks at a page in Chromium as people do: light and dark, wide and narrow, with mouse and keyboard.
//
//   node look_at_page.mjs <folder with node_modules> <page.html> <folder for pictures>
//
// Prints one JSON object of what was seen; the test that runs it (tests/e2e/page.rs) judges.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , packages, file, pictures] = process.argv;
const require = createRequire(`${packages}/`);
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const { default: chromium } = await load("@sparticuz/chromium");
const { default: puppeteer } = await load("puppeteer-core");

const browser = await puppeteer.launch({
  // ICU refuses the name of the POSIX locale, which a bare machine has.
  args: [...chromium.args, "--lang=en-US"],
  env: { ...process.env, LANG: "en_US.UTF-8", LC_ALL: "en_US.UTF-8", LANGUAGE: "en" },
  executablePath: await chromium.executablePath(),
  headless: "shell",
});
const seen = { errors: [], requests: [], looks: [] };

async function look(scheme, width) {
  const page = await browser.newPage();
  page.on("console", (message) => seen.errors.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) seen.requests.push(request.url());
  });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setViewport({ width, height: 900 });
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector("html[data-drawn] canvas");
  const said = () => page.$eval(".said", (element) => element.innerText);
  await page.screenshot({ path: `${pictures}/${scheme}-${width}.png`, fullPage: true });
  const main = await page.$(".chart.main");
  await main.scrollIntoView();
  const box = await main.boundingBox();

  const found = { scheme, width };
  found.overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  found.paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  found.charts = (await page.$$("canvas")).length;
  found.named = await page.$eval(".chart.main", (element) => element.getAttribute("aria-label"));
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2);
  found.pointed = await said();
  await page.click("button[data-at]");
  found.shown = await said();
  found.focused = await page.evaluate(() => document.activeElement.className);
  await page.keyboard.press("ArrowRight");
  found.moved = await said();
  await page.click("button[data-day]");
  found.pressed = await page.$$eval("button[aria-pressed=true]", (all) => all.map((one) => one.innerText));
  await page.screenshot({ path: `${pictures}/${scheme}-${width}-day.png` });
  seen.looks.push(found);
  await page.close();
}

try {
  for (const scheme of ["light", "dark"]) {
    for (const width of [1280, 360]) await look(scheme, width);
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
