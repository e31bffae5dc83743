// Opens OpenClaw's Control UI in headless Chromium, signs in to a gateway, talks, and looks at every page.
// Usage: node control_ui.mjs OPTIONS-AS-JSON
//   driver: folder of playwright-core, chromium, page: address of the built page, gateway: ws://…, token, shots: folder,
//   tabs: paths, tool: a message that makes the model call a tool, toolOutput, hold: a message whose answer never ends
// Prints one JSON object per line: {"check", "ok", "seen"}.

import { join } from "node:path";
import { createRequire } from "node:module";

const options = JSON.parse(process.argv[2]);
const { chromium } = createRequire(import.meta.url)(options.driver);
const PATIENCE = 30_000;
const FIELD = "textarea:visible, [contenteditable=true]:visible";
const BROKEN = /unknown method|Unsupported schema\. |invalid [a-z.]+ params|INVALID_REQUEST|missing scope|is not a function|undefined is not|cannot read prop/i;

let faults = [];
let refusals = [];
let isLoaded = false;

function report(check, ok, seen) {
  process.stdout.write(`${JSON.stringify({ check, ok, seen })}\n`);
}

async function step(page, check, work) {
  try {
    if (!isLoaded && check !== "load") throw new Error("the page did not load");
    report(check, true, await work());
    isLoaded = true;
  } catch (error) {
    const shown = (await page.locator("body").innerText().catch(() => "")).replace(/\s+/g, " ").slice(0, 300);
    report(check, false, `${String(error.message ?? error).split("\n")[0]}; the page shows: ${shown}; refused: ${refusals.slice(0, 5).join(" / ")}`);
    await shoot(page, `failed-${check}`);
  }
}

async function shoot(page, name) {
  await page.screenshot({ path: join(options.shots, `${name.replaceAll(/[^a-z0-9]+/gi, "-").replace(/^-/, "")}.png`) }).catch(() => {});
}

// Remember what each call asked for, so that a refusal can be named.
function watch(page) {
  page.on("pageerror", (error) => faults.push(String(error.message).split("\n")[0]));
  page.on("websocket", (socket) => {
    const asked = new Map();
    socket.on("framesent", ({ payload }) => {
      const frame = parse(payload);
      if (frame?.type === "req") asked.set(frame.id, `${frame.method} ${JSON.stringify(frame.params ?? {}).slice(0, 80)}`);
    });
    socket.on("framereceived", ({ payload }) => {
      const frame = parse(payload);
      if (frame?.type === "res" && !frame.ok) refusals.push(`${asked.get(frame.id)}: ${frame.error?.message}`);
    });
  });
}

function parse(payload) {
  try {
    return JSON.parse(String(payload));
  } catch {
    return undefined;
  }
}

async function load(page) {
  const query = `gatewayUrl=${encodeURIComponent(options.gateway)}`;
  await page.goto(`${options.page}/chat?${query}#token=${encodeURIComponent(options.token)}`);
  const confirm = page.locator("button", { hasText: /^\s*(Confirm|Switch to .*)\s*$/ });
  await Promise.race([
    confirm.first().waitFor({ timeout: PATIENCE }).then(() => confirm.first().click()),
    page.locator(FIELD).and(page.locator(":enabled")).first().waitFor({ timeout: PATIENCE }),
  ]);
  await page.locator(FIELD).and(page.locator(":enabled")).first().waitFor({ timeout: PATIENCE });
  await shoot(page, "01-loaded");
  return `connected to ${options.gateway.replace(/\d+$/, "PORT")}`;
}

async function say(page, text) {
  const field = page.locator(FIELD).first();
  await field.click();
  await field.fill(text);
  await field.press("Enter");
}

async function chat(page) {
  await say(page, "hello from the browser");
  await page.getByText(/echo: .*hello from the browser/s).last().waitFor({ timeout: PATIENCE });
  await shoot(page, "02-answer");
  return "the answer is shown";
}

async function tool(page) {
  await say(page, options.tool);
  await page.getByText(`the tool said: ${options.toolOutput}`).last().waitFor({ timeout: PATIENCE });
  await shoot(page, "03-tool");
  return "the tool's output is in the answer";
}

async function abort(page) {
  await say(page, options.hold);
  const stop = page.getByRole("button", { name: /stop|abort/i }).first();
  await stop.waitFor({ timeout: PATIENCE });
  await page.waitForTimeout(options.settle);
  await shoot(page, "04-running");
  await stop.click();
  await stop.waitFor({ state: "hidden", timeout: PATIENCE });
  await say(page, "hello after the stop");
  await page.getByText(/echo: .*hello after the stop/s).last().waitFor({ timeout: PATIENCE });
  await shoot(page, "05-after-the-stop");
  return "stopped, and the next message was answered";
}

async function reload(page) {
  await page.reload();
  await page.getByText(/echo: .*hello after the stop/s).last().waitFor({ timeout: PATIENCE });
  await shoot(page, "06-reloaded");
  return "the conversation is there again";
}

async function openTab(page, path) {
  faults = [];
  refusals = [];
  await page.evaluate((to) => {
    history.pushState({}, "", to);
    dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  }, path);
  await page.waitForTimeout(options.settle);
  const text = await page.locator("body").innerText();
  const at = new URL(page.url()).pathname;
  await shoot(page, `tab-${path}`);
  const broken = text.split("\n").filter((line) => BROKEN.test(line));
  return { at, problems: [...new Set([...faults, ...broken, ...refusals])].map((each) => each.slice(0, 160)) };
}

async function tabs(page) {
  const bad = [];
  for (const path of options.tabs) {
    const { at, problems } = await openTab(page, path);
    if (!at.startsWith(path)) problems.push(`led to ${at}`);
    if (problems.length > 0) bad.push(`${path}: ${problems.slice(0, 4).join(" / ")}`);
  }
  if (bad.length > 0) throw new Error(`${bad.length} of ${options.tabs.length}: ${bad.join(" ; ")}`);
  return `${options.tabs.length} pages`;
}

const browser = await chromium.launch({ executablePath: options.chromium, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  page.setDefaultTimeout(PATIENCE);
  watch(page);
  await step(page, "load", () => load(page));
  await step(page, "chat", () => chat(page));
  await step(page, "chat with a tool call", () => tool(page));
  await step(page, "abort", () => abort(page));
  await step(page, "reload", () => reload(page));
  await step(page, "every tab opens without an error", () => tabs(page));
} finally {
  await browser.close();
}
