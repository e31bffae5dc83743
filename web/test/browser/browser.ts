/** Headless Chromium for tests of the built page: windows of two sizes and two colour schemes, with every complaint collected. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
/** What the browser itself prints about answers that a test asks for: a refused login, a stopped gateway. */
const EXPECTED = /status of 40[01]|ERR_CONNECTION_REFUSED/;

export const SIZES = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;
export const SCHEMES = ["light", "dark"] as const;
export type Scheme = (typeof SCHEMES)[number];
export type Size = keyof typeof SIZES;

/** Where pictures go and complaints are kept. */
export class Watch {
  readonly problems: string[] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  check(isRight: boolean, what: string): void {
    if (!isRight) this.problems.push(what);
  }

  /** Listen to everything the page complains about, policy violations among it. */
  follow(page: Page): void {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type()) && !EXPECTED.test(message.text())) this.problems.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.problems.push(`page error: ${error.message}`));
    page.on("request", (request) => this.check(new URL(request.url()).hostname === "127.0.0.1", `foreign request: ${request.url()}`));
  }

  /** Take a picture, and complain of what is outside the window or hard to reach. */
  async shoot(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: join(this.#folder, `${name}.png`) });
    const outside = await page.evaluate(elementsOutside);
    this.check(outside.length === 0, `${name}: outside the window: ${outside.join(", ")}`);
    await page.evaluate(AXE);
    for (const violation of await page.evaluate(runAxe, RULES)) this.problems.push(`${name}: axe ${violation}`);
  }
}

function elementsOutside(): string[] {
  return [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    const isScrolled = element.closest('[role="region"], [class*="skip"]') !== null;
    return box.width > 0 && box.height > 0 && !isScrolled && (box.right > innerWidth + 1 || box.left < -1);
  }).map((element) => `${element.tagName}.${element.className}`).slice(0, 5);
}

async function runAxe(rules: string[]): Promise<string[]> {
  // @ts-expect-error axe is a global of the injected script
  const result = await globalThis.axe.run(document, { runOnly: rules });
  return result.violations.map((violation: { id: string; nodes: { target: string[]; failureSummary: string }[] }) =>
    `${violation.id}: ${violation.nodes.map((node) => `${node.target.join(" ")} ${node.failureSummary.split("\n")[1] ?? ""}`).slice(0, 3).join(" | ")}`);
}

/** Start the browser that CHROMIUM names, /usr/bin/chromium by default. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", headless: true, args: FLAGS });
}

/** Open a window that shares nothing with others. */
export async function openWindow(browser: Browser, watch: Watch, scheme: Scheme, size: Size): Promise<Page> {
  const context = await browser.newContext({
    viewport: SIZES[size], colorScheme: scheme, hasTouch: size === "phone", reducedMotion: "reduce",
  });
  const page = await context.newPage();
  watch.follow(page);
  return page;
}
