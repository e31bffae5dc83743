import { MantineProvider } from "@mantine/core";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import "../src/i18n.ts";
import { safeLink } from "../src/chat/links.ts";
import MarkdownRenderer from "../src/chat/MarkdownRenderer.tsx";

function render(text: string): string {
  return renderToStaticMarkup(<MantineProvider><MarkdownRenderer text={text} /></MantineProvider>);
}

test.each([
  ["https://example.org/a?b=1", "https://example.org/a?b=1"],
  ["mailto:a@example.org", "mailto:a@example.org"],
  ["javascript:alert(1)", undefined],
  ["JaVaScRiPt:alert(1)", undefined],
  [" javascript:alert(1)", undefined],
  ["data:text/html,x", undefined],
  ["file:///etc/passwd", undefined],
  ["/api/login", undefined],
  ["//evil.example/x", undefined],
])("links to %s lead to %s", (address, expected) => expect(safeLink(address)).toBe(expected));

test("raw HTML is text", () => {
  const html = render('<script>alert(1)</script><img src=x onerror="alert(1)"> <b>bold</b>');
  expect(html).not.toMatch(/<(script|img|b)[ >]/);
  expect(html).toContain("&lt;script&gt;");
});

test("unsafe links keep their text only", () => {
  const html = render("[click](javascript:alert(1)) and [fine](https://example.org)");
  expect(html).not.toContain("javascript:");
  expect(html).toContain("<span>click</span>");
  expect(html).toContain('href="https://example.org/" target="_blank" rel="noopener noreferrer nofollow"');
});

test("images are links, never fetched", () => {
  const html = render("![a cat](https://tracker.example/cat.png?who=me)");
  expect(html).not.toContain("<img");
  expect(html).toContain(">a cat</a>");
});

test("tables and code can be scrolled with the keyboard", () => {
  const html = render("| a | b |\n|---|---|\n| 1 | 2 |\n\n```sh\nls\n```\n");
  expect(html.match(/tabindex="0"/g)).toHaveLength(2);
  expect(html).toContain("<td>2</td>");
});
