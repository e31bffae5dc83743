import { lazy, memo, Suspense, type ReactElement } from "react";
import classes from "./Markdown.module.css";

const importRenderer = (): Promise<typeof import("./MarkdownRenderer.tsx")> => import("./MarkdownRenderer.tsx");
const Renderer = lazy(importRenderer);

/** Fetch the renderer before the first answer needs it. */
export function preloadMarkdown(): void {
  void importRenderer();
}

/** Markdown from the model; plain text until the renderer is here. */
export const Markdown = memo(function Markdown({ text }: { text: string }): ReactElement {
  return (
    <div className={classes["markdown"]}>
      <Suspense fallback={<p className={classes["plain"]}>{text}</p>}>
        <Renderer text={text} />
      </Suspense>
    </div>
  );
});
