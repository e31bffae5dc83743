/**
 * Drives the page built by `python web/build.py` in headless Chromium against the fake gateway, checks it with axe, and takes pictures.
 * Usage: node test/browser/shots.ts [folder for the pictures]
 * CHROMIUM names the browser; the default is /usr/bin/chromium.
 */
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { FakeGateway } from "../fakeGateway.ts";
import { openWindow, SCHEMES, startBrowser, Watch, type Scheme, type Size } from "./browser.ts";

const OUT = process.argv[2] ?? join(tmpdir(), "web-shots");
const PAGE = join(import.meta.dirname, "../../../src/homarus/gateway/http/static");
const watch = new Watch(OUT);

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

async function walk(browser: Browser, scheme: Scheme, size: Size): Promise<void> {
  const gateway = await new FakeGateway({ staticDir: PAGE, paceMs: 12 }).start();
  seed(gateway);
  const page = await openWindow(browser, watch, scheme, size);
  const name = (step: string): string => `${size}-${scheme}-${step}`;
  const base = `http://127.0.0.1:${gateway.port}`;
  try {
    await page.goto(`${base}/`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Link, login code or gateway token").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("neither as a login code").waitFor();
    await watch.shoot(page, name("1-login"));
    await page.goto(`${base}/login#code=CODE-1`);
    await page.getByText("What can I do for you?").waitFor();
    watch.check(!page.url().includes("code="), `${size}: the code stays in the address bar`);
    await watch.shoot(page, name("2-empty"));
    await page.getByRole("button", { name: "List the files in the workspace" }).click();
    await page.getByRole("region", { name: "Output" }).waitFor();
    await watch.shoot(page, name("3-tool-live"));
    await page.getByText("To read one").waitFor();
    await page.getByRole("button", { name: "Copy answer" }).waitFor();
    watch.check((await page.getByText("List the files in the workspace", { exact: true }).count()) <= 3, `${size}: question shown twice`);
    await page.getByRole("button", { name: /Run/ }).click();
    await watch.shoot(page, name("4-answer"));
    const field = page.getByLabel("Message", { exact: true });
    await field.fill("please fail now");
    await field.press("Enter");
    await page.getByText("answered 429").waitFor();
    await watch.shoot(page, name("5-error"));
    await field.fill("a long story");
    await field.press("Enter");
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.getByText("You said: a long story. You said").waitFor();
    await watch.shoot(page, name("6-streaming"));
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped").waitFor();
    if (size === "phone") {
      await page.getByRole("button", { name: "Show conversations" }).click();
      await page.getByRole("button", { name: "New chat" }).waitFor();
      await watch.shoot(page, name("7-drawer"));
      await page.keyboard.press("Escape");
    } else {
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByRole("menuitemradio", { name: "Dark" }).waitFor();
      await watch.shoot(page, name("7-settings"));
      await page.keyboard.press("Escape");
    }
    await page.getByRole("button", { name: "Conversation menu" }).click();
    await page.getByRole("menuitem", { name: "Start over" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Start over" }).waitFor();
    await watch.shoot(page, name("8-confirm"));
    await page.getByRole("dialog").getByRole("button", { name: "Cancel", exact: true }).last().click();
    const port = gateway.port;
    await field.fill("a draft that stays");
    await gateway.stop();
    await page.getByText("Connection lost").waitFor();
    await watch.shoot(page, name("9-offline"));
    watch.check((await field.inputValue()) === "a draft that stays", `${size}: the draft was lost`);
    gateway.options.port = port;
    await gateway.start();
    await page.getByText("Connection lost").waitFor({ state: "detached" });
    await field.press("Enter");
    await page.getByText("You said: a draft that stays.", { exact: true }).last().waitFor();
    await page.reload();
    await page.getByText("You said: a draft that stays.", { exact: true }).last().waitFor();
    const log = page.getByRole("log");
    watch.check((await log.getByText("a draft that stays", { exact: true }).count()) === 1, `${size}: the message is there twice or not at all`);
    await page.goto(`${base}/chat/${encodeURIComponent("agent:main:dashboard:wide")}`);
    await page.getByText("an-address-without-end").first().waitFor();
    await page.getByRole("table").waitFor();
    await watch.shoot(page, name("10-wide-content"));
  } finally {
    await page.context().close();
    await gateway.stop().catch(() => undefined);
  }
}

mkdirSync(OUT, { recursive: true });
const wanted = process.argv.slice(3);
const browser = await startBrowser();
try {
  for (const size of ["wide", "phone"] as const)
    for (const scheme of SCHEMES)
      if (wanted.length === 0 || wanted.includes(`${size}-${scheme}`)) await walk(browser, scheme, size);
} finally {
  await browser.close();
}
const { problems } = watch;
console.log(problems.length === 0 ? `no problems; pictures in ${OUT}` : [...new Set(problems)].join("\n"));
process.exitCode = problems.length === 0 ? 0 : 1;
