/**
 * Walks through the page of a real gateway in headless Chromium and prints what it saw as one line of JSON.
 * Usage: node test/browser/live.ts LOGIN-LINK FOLDER-FOR-PICTURES wide|phone light|dark
 * The gateway must be fresh, answer with homarus/basic, and have the file groceries.md in its workspace.
 */
import { mkdirSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { openWindow, SCHEMES, startBrowser, Watch, type Scheme, type Size } from "./browser.ts";

const [link = "", folder = "", size = "wide", scheme = "light"] = process.argv.slice(2);
const QUESTION = "list the files in the workspace";
const watch = new Watch(folder);

interface Seen {
  /** Distinct lengths of the answer's text while it was being written. */
  readonly lengths: number[];
  readonly problems: readonly string[];
  readonly titles: string[];
}

function name(step: string): string {
  return `${size}-${scheme}-${step}`;
}

async function refuseWrongCode(page: Page): Promise<void> {
  await page.goto(new URL("/", link).href);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByLabel("Link, login code or gateway token").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("neither as a login code nor").waitFor();
  await watch.shoot(page, name("1-wrong-code"));
}

async function signIn(page: Page): Promise<void> {
  await page.goto(link);
  await page.getByText("What can I do for you?").waitFor();
  watch.check(!page.url().includes("code="), "the code stays in the address bar");
  await watch.shoot(page, name("2-empty"));
}

async function say(page: Page, text: string): Promise<void> {
  const field = page.getByLabel("Message", { exact: true });
  await field.fill(text);
  await field.press("Enter");
}

/** Note how long the answer is each time it changes, which tells streamed text from text that comes at once. */
async function recordAnswers(page: Page): Promise<void> {
  await page.evaluate(() => {
    const lengths: number[] = [];
    Object.assign(globalThis, { answerLengths: lengths });
    const note = (): void => {
      const replies = document.querySelectorAll('[role="log"] article[aria-busy]');
      const length = (replies[replies.length - 1] as HTMLElement | undefined)?.innerText.length ?? 0;
      if (length > 0 && lengths.at(-1) !== length) lengths.push(length);
    };
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}

async function askForFiles(page: Page): Promise<number[]> {
  await recordAnswers(page);
  await say(page, QUESTION);
  await page.getByRole("button", { name: /List/ }).waitFor();
  await page.getByRole("log").getByText("groceries.md").first().waitFor();
  await page.getByRole("button", { name: "Copy answer" }).waitFor();
  await watch.shoot(page, name("3-answer"));
  await page.getByRole("button", { name: /List/ }).click();
  await page.getByRole("region", { name: "Output" }).waitFor();
  await watch.shoot(page, name("4-tool-card"));
  return page.evaluate(() => (globalThis as unknown as { answerLengths: number[] }).answerLengths);
}

async function stopCommand(page: Page): Promise<void> {
  await say(page, "run `echo begun; sleep 300`");
  await page.getByRole("region", { name: "Output" }).getByText("begun").waitFor();
  await watch.shoot(page, name("5-running"));
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("log").getByText("Stopped", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Stop" }).waitFor({ state: "detached" });
  await watch.shoot(page, name("6-stopped"));
}

async function comeBack(page: Page): Promise<void> {
  await page.reload();
  const log = page.getByRole("log");
  await log.getByText("groceries.md").first().waitFor();
  await log.getByText("Stopped", { exact: true }).waitFor();
  await log.getByRole("button", { name: "Copy code" }).waitFor();
  watch.check((await log.getByText(QUESTION, { exact: true }).count()) === 1, "after a reload the question is not there exactly once");
  watch.check((await page.getByRole("button", { name: /List/ }).count()) === 1, "after a reload the tool card is not there exactly once");
  await watch.shoot(page, name("7-reloaded"));
}

async function openSecondChat(page: Page): Promise<string[]> {
  const isPhone = size === "phone";
  const open = async (): Promise<void> => { if (isPhone) await page.getByRole("button", { name: "Show conversations" }).click(); };
  await open();
  await page.getByRole("button", { name: "New chat" }).click();
  await page.getByText("What can I do for you?").waitFor();
  await say(page, "what time is it");
  await page.getByRole("log").getByText("It is").first().waitFor();
  await page.getByRole("button", { name: "Copy answer" }).waitFor();
  await open();
  const rows = page.getByRole("navigation", { name: "Conversations" }).getByRole("link");
  await rows.nth(1).waitFor();
  await watch.shoot(page, name("8-conversations"));
  const titles = await rows.allInnerTexts();
  await rows.filter({ hasText: "Main chat" }).click();
  await page.getByRole("log").getByText("groceries.md").first().waitFor();
  return titles;
}

async function refuseUsedCode(browser: Browser): Promise<void> {
  const page = await openWindow(browser, watch, scheme as Scheme, size as Size);
  await page.goto(link);
  await page.getByText("This link was used already").waitFor();
  await watch.shoot(page, name("9-used-code"));
}

async function walk(browser: Browser): Promise<Seen> {
  const page = await openWindow(browser, watch, scheme as Scheme, size as Size);
  page.setDefaultTimeout(45_000);
  await refuseWrongCode(page);
  await signIn(page);
  const lengths = await askForFiles(page);
  await stopCommand(page);
  await comeBack(page);
  const titles = await openSecondChat(page);
  await refuseUsedCode(browser);
  return { lengths, titles, problems: [...new Set(watch.problems)] };
}

if (!["wide", "phone"].includes(size) || !(SCHEMES as readonly string[]).includes(scheme)) throw new Error(`unknown view ${size} ${scheme}`);
mkdirSync(folder, { recursive: true });
const browser = await startBrowser();
try {
  console.log(JSON.stringify(await walk(browser)));
} catch (error) {
  for (const context of browser.contexts()) for (const page of context.pages()) await page.screenshot({ path: `${folder}/${name("failed")}.png` });
  throw error;
} finally {
  await browser.close();
}
