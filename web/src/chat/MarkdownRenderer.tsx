import type { ComponentProps, ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import Renderer, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { CopyButton } from "./CopyButton.tsx";
import { safeLink } from "./links.ts";
import classes from "./Markdown.module.css";

type Children = { children?: ReactNode };

function SafeAnchor({ href, children }: { href: string | undefined; children?: ReactNode }): ReactElement {
  const target = href === undefined ? undefined : safeLink(href);
  if (target === undefined) return <span>{children}</span>;
  return <a href={target} target="_blank" rel="noopener noreferrer nofollow">{children}</a>;
}

/** Images are not fetched: their address would tell a stranger that and when the answer was read. */
function ImageLink({ src, alt }: ComponentProps<"img">): ReactElement {
  const address = typeof src === "string" ? src : undefined;
  return <SafeAnchor href={address}>{alt === undefined || alt === "" ? (address ?? "") : alt}</SafeAnchor>;
}

function Scrollable({ label, className, children }: Children & { label: string; className: string | undefined }): ReactElement {
  // Focusable, so that wide content can be scrolled with the keyboard.
  return <div className={className} tabIndex={0} role="region" aria-label={label}>{children}</div>;
}

function textOfNode(node: unknown): string {
  if (typeof node !== "object" || node === null) return "";
  const { value, children } = node as { value?: unknown; children?: unknown };
  if (typeof value === "string") return value;
  return Array.isArray(children) ? children.map(textOfNode).join("") : "";
}

function CodeBlock({ children, node }: ComponentProps<"pre"> & { node?: unknown }): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={classes["codeBlock"]}>
      <Scrollable label={t("chat.codeBlock")} className={classes["codeScroll"]}><pre>{children}</pre></Scrollable>
      <span className={classes["copy"]}><CopyButton text={textOfNode(node)} label={t("chat.copyCode")} /></span>
    </div>
  );
}

function TableBlock({ children }: Children): ReactElement {
  const { t } = useTranslation();
  return <Scrollable label={t("chat.table")} className={classes["tableScroll"]}><table>{children}</table></Scrollable>;
}

const COMPONENTS: Components = {
  a: ({ href, children }) => <SafeAnchor href={href}>{children}</SafeAnchor>,
  img: ImageLink,
  pre: CodeBlock,
  table: TableBlock,
  // The page's own headings end at level 2.
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  h4: ({ children }) => <h5>{children}</h5>,
};

const PLUGINS = [remarkGfm];

/** GitHub-flavoured Markdown without raw HTML, remote images or unsafe links. */
export default function MarkdownRenderer({ text }: { text: string }): ReactElement {
  // Addresses are checked where they are used; the renderer's own filter would hide them from there.
  return <Renderer remarkPlugins={PLUGINS} components={COMPONENTS} urlTransform={(url) => url}>{text}</Renderer>;
}
