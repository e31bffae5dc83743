/**
 * Drives the page built by `python web/build.py` in headless Chromium against the fake gateway, checks it with axe, and takes pictures.
 * Usage: node test/browser/shots.ts [folder for the pictures]
 * CHROMIUM names the browser; the default is /usr/bin/chromium.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { FakeGateway } from "../fakeGateway.ts";

const OUT = process.argv[2] ?? join(tmpdir(), "web-shots");
const PAGE = join(import.meta.dirname, "../../../src/homarus/gateway/http/static");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const SIZES = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;
const problems: string[] = [];

type Scheme = "light" | "dark";
type Size = keyof typeof SIZES;

function check(isRight: boolean, what: string): void {
  if (!isRight) problems.push(what);
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(OUT, `${name}.png`) });
  const outside = await page.evaluate(() =>
    [...document.querySelectorAll("body *")].filter((element) => {
      const box = element.getBoundingClientRect();
      const scrolls = element.closest('[role="region"], [class*="skip"]') !== null;
      return box.width > 0 && box.height > 0 && !scrolls && (box.right > innerWidth + 1 || box.left < -1);
    }).map((element) => `${element.tagName}.${element.className}`).slice(0, 5));
  check(outside.length === 0, `${name}: outside the window: ${outside.join(", ")}`);
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    // @ts-expect-error axe is a global of the injected script
    const result = await globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    return result.violations.map((violation: { id: string; nodes: { target: string[]; failureSummary: string }[] }) =>
      `${violation.id}: ${violation.nodes.map((node) => `${node.target.join(" ")} ${node.failureSummary.split("\n")[1] ?? ""}`).slice(0, 3).join(" | ")}`);
  });
  for (const violation of found) problems.push(`${name}: axe ${violation}`);
}

function seed(gateway: FakeGateway): void {
  const now = Date.now();
  const put = (key: string, age: number, user: string, answer: string): void => {
    gateway.store(key, { role: "user", content: [{ type: "text", text: user }], timestamp: now - age });
    gateway.store(key, { role: "assistant", content: [{ type: "text", text: answer }], timestamp: now - age + 900 });
  };
  put("agent:main:irc:direct:ada", 3_600_000, "remind me to call the plumber", "Noted. I will remind you at nine.");
  put("agent:main:dashboard:2", 86_400_000, "Compare the two insurance offers in my notes", "Offer B is cheaper by 12 %, but excludes water damage.");
  const cells = Array.from({ length: 10 }, (_, index) => `col ${index}`).join(" | ");
  put("agent:main:dashboard:wide", 2 * 86_400_000, `read https://example.org/${"an-address-without-end/".repeat(12)}`,
    `${"unbroken".repeat(60)}\n\n| ${cells} |\n|${"---|".repeat(10)}\n| ${cells} |\n\n\`\`\`\n${"wide code ".repeat(40)}\n\`\`\`\n\n1. \`${"inline".repeat(40)}\`\n\n![cat](https://example.org/cat.png) [bad](javascript:alert(1)) <b>raw</b>`);
  put("agent:main:dashboard:3", 5 * 86_400_000, "what is the capital of Australia", "Canberra.");
}

async function open(scheme: Scheme, size: Size): Promise<{ context: BrowserContext; page: Page; dir: string }> {
  const dir = mkdtempSync(join(tmpdir(), "homarus-chromium-"));
  const context = await chromium.launchPersistentContext(dir, {
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", headless: true, args: FLAGS,
    viewport: SIZES[size], colorScheme: scheme, hasTouch: size === "phone", reducedMotion: "reduce",
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.on("console", (message) => { if (message.type() === "error" && !/status of 40[01]|ERR_CONNECTION_REFUSED/.test(message.text())) problems.push(`console: ${message.text()}`); });
  page.on("pageerror", (error) => problems.push(`page error: ${error.message}`));
  page.on("request", (request) => check(new URL(request.url()).hostname === "127.0.0.1", `foreign request: ${request.url()}`));
  return { context, page, dir };
}

async function walk(scheme: Scheme, size: Size): Promise<void> {
  const gateway = await new FakeGateway({ staticDir: PAGE, paceMs: 12 }).start();
  seed(gateway);
  const { context, page, dir } = await open(scheme, size);
  const name = (step: string): string => `${size}-${scheme}-${step}`;
  const base = `http://127.0.0.1:${gateway.port}`;
  try {
    await page.goto(`${base}/`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Link, login code or gateway token").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("neither as a login code").waitFor();
    await shoot(page, name("1-login"));
    await page.goto(`${base}/login#code=CODE-1`);
    await page.getByText("What can I do for you?").waitFor();
    check(!page.url().includes("code="), `${size}: the code stays in the address bar`);
    await shoot(page, name("2-empty"));
    await page.getByRole("button", { name: "List the files in the workspace" }).click();
    await page.getByRole("region", { name: "Output" }).waitFor();
    await shoot(page, name("3-tool-live"));
    await page.getByText("To read one").waitFor();
    await page.getByRole("button", { name: "Copy answer" }).waitFor();
    check((await page.getByText("List the files in the workspace", { exact: true }).count()) <= 3, `${size}: question shown twice`);
    await page.getByRole("button", { name: /Run/ }).click();
    await shoot(page, name("4-answer"));
    const field = page.getByLabel("Message", { exact: true });
    await field.fill("please fail now");
    await field.press("Enter");
    await page.getByText("answered 429").waitFor();
    await shoot(page, name("5-error"));
    await field.fill("a long story");
    await field.press("Enter");
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.getByText("You said: a long story. You said").waitFor();
    await shoot(page, name("6-streaming"));
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped").waitFor();
    if (size === "phone") {
      await page.getByRole("button", { name: "Show conversations" }).click();
      await page.getByRole("button", { name: "New chat" }).waitFor();
      await shoot(page, name("7-drawer"));
      await page.keyboard.press("Escape");
    } else {
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByRole("menuitemradio", { name: "Dark" }).waitFor();
      await shoot(page, name("7-settings"));
      await page.keyboard.press("Escape");
    }
    await page.getByRole("button", { name: "Conversation menu" }).click();
    await page.getByRole("menuitem", { name: "Start over" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Start over" }).waitFor();
    await shoot(page, name("8-confirm"));
    await page.getByRole("dialog").getByRole("button", { name: "Cancel", exact: true }).last().click();
    const port = gateway.port;
    await field.fill("a draft that stays");
    await gateway.stop();
    await page.getByText("Connection lost").waitFor();
    await shoot(page, name("9-offline"));
    check((await field.inputValue()) === "a draft that stays", `${size}: the draft was lost`);
    gateway.options.port = port;
    await gateway.start();
    await page.getByText("Connection lost").waitFor({ state: "detached" });
    await field.press("Enter");
    await page.getByText("You said: a draft that stays.", { exact: true }).last().waitFor();
    await page.reload();
    await page.getByText("You said: a draft that stays.", { exact: true }).last().waitFor();
    const log = page.getByRole("log");
    check((await log.getByText("a draft that stays", { exact: true }).count()) === 1, `${size}: the message is there twice or not at all`);
    await page.goto(`${base}/chat/${encodeURIComponent("agent:main:dashboard:wide")}`);
    await page.getByText("an-address-without-end").first().waitFor();
    await page.getByRole("table").waitFor();
    await shoot(page, name("10-wide-content"));
  } finally {
    await context.close();
    await gateway.stop().catch(() => undefined);
    rmSync(dir, { recursive: true, force: true });
  }
}

mkdirSync(OUT, { recursive: true });
const wanted = process.argv.slice(3);
for (const size of ["wide", "phone"] as const)
  for (const scheme of ["light", "dark"] as const)
    if (wanted.length === 0 || wanted.includes(`${size}-${scheme}`)) await walk(scheme, size);
console.log(problems.length === 0 ? `no problems; pictures in ${OUT}` : [...new Set(problems)].join("\n"));
process.exitCode = problems.length === 0 ? 0 : 1;
