import { Button, Loader } from "@mantine/core";
import { memo, type ReactElement, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "./CopyButton.tsx";
import { FileView } from "./FileView.tsx";
import { Markdown } from "./Markdown.tsx";
import { textOf, type Block, type Entry } from "./model.ts";
import type { LiveTurn } from "./reconcile.ts";
import { isActive, type Run } from "./run.ts";
import { ToolCard } from "./ToolCard.tsx";
import classes from "./Turn.module.css";

function BlockView({ block }: { block: Block }): ReactElement {
  const { t } = useTranslation();
  switch (block.kind) {
    case "text":
      return <Markdown text={block.text} />;
    case "tool":
      return <ToolCard call={block.call} />;
    case "file":
      return <FileView file={block.file} />;
    case "image":
      return <p className={classes["note"]}>{t("chat.image", { type: block.mimeType })}</p>;
    case "thinking":
      return (
        <details className={classes["thinking"]}>
          <summary>{t("chat.reasoning")}</summary>
          <p>{block.text}</p>
        </details>
      );
  }
}

function Time({ at }: { at: number }): ReactElement | null {
  const { i18n } = useTranslation();
  if (at <= 0) return null;
  const date = new Date(at);
  const full = date.toLocaleString(i18n.language, { dateStyle: "full", timeStyle: "short" });
  return <time dateTime={date.toISOString()} title={full}>{date.toLocaleTimeString(i18n.language, { timeStyle: "short" })}</time>;
}

function Bubble({ text, label, isPending, children }: {
  text: string; label: string | undefined; isPending: boolean; children?: ReactNode;
}): ReactElement {
  const { t } = useTranslation();
  return (
    <article className={classes["user"]} aria-label={label ?? t("chat.you")}>
      {label !== undefined && <span className={classes["sender"]}>{label}</span>}
      <div className={classes["bubble"]} data-pending={isPending}>{text}</div>
      {children !== undefined && <div className={classes["below"]}>{children}</div>}
    </article>
  );
}

function Failure({ message, onRetry }: { message: string; onRetry: (() => void) | undefined }): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={classes["failure"]} role="alert">
      <span>{message === "" ? t("chat.runFailed") : t("chat.runFailedWhy", { message })}</span>
      {onRetry !== undefined && <Button size="compact-sm" variant="default" onClick={onRetry}>{t("chat.retry")}</Button>}
    </div>
  );
}

function Reply({ blocks, isLive, children }: { blocks: readonly Block[]; isLive: boolean; children?: ReactNode }): ReactElement {
  const { t } = useTranslation();
  return (
    <article className={classes["reply"]} aria-label={t("chat.assistant")} aria-busy={isLive}>
      {blocks.map((block, index) => <BlockView key={block.kind === "tool" ? block.call.id : `${block.kind}-${index}`} block={block} />)}
      {children}
    </article>
  );
}

function Thinking({ isStopping }: { isStopping: boolean }): ReactElement {
  const { t } = useTranslation();
  return (
    <p className={classes["waiting"]}>
      <Loader size={14} type="dots" aria-hidden="true" />
      <span>{isStopping ? t("composer.stopping") : t("chat.thinking")}</span>
    </p>
  );
}

/** A stored turn. `onRetry` is given for the last one only. */
export const StoredTurn = memo(function StoredTurn({ entry, onRetry }: {
  entry: Entry; onRetry: (() => void) | undefined;
}): ReactElement {
  const { t } = useTranslation();
  const text = textOf(entry.blocks);
  if (entry.role === "notice") return <p className={classes["divider"]}>{text === "" ? t("chat.compacted") : text}</p>;
  if (entry.role === "user")
    return (
      <Bubble text={text} label={entry.senderLabel} isPending={false}>
        <Time at={entry.timestamp} />
      </Bubble>
    );
  return (
    <Reply blocks={entry.blocks} isLive={false}>
      {entry.error !== undefined && <Failure message={entry.error} onRetry={onRetry} />}
      {(text !== "" || entry.isAborted) && (
        <div className={classes["meta"]}>
          {text !== "" && <CopyButton text={text} label={t("chat.copy")} />}
          <Time at={entry.timestamp} />
          {entry.isAborted && <span>{t("chat.aborted")}</span>}
        </div>
      )}
    </Reply>
  );
});

interface LiveProps {
  turn: LiveTurn;
  onRetry: (runId: string) => void;
  onDiscard: (runId: string) => void;
}

function DeliveryNote({ run, onRetry, onDiscard }: { run: Run; onRetry: () => void; onDiscard: () => void }): ReactElement | null {
  const { t } = useTranslation();
  if (run.delivery === "queued") return <span role="status">{t("chat.queued")}</span>;
  if (run.delivery === "sending") return <span>{t("chat.sending")}</span>;
  if (run.delivery === "accepted") return <Time at={run.createdAt} />;
  return (
    <span className={classes["unsent"]} role="alert">
      <span>{t("chat.notSent", { message: run.error ?? "" })}</span>
      <Button size="compact-sm" variant="default" onClick={onRetry}>{t("chat.retry")}</Button>
      <Button size="compact-sm" variant="subtle" color="gray" onClick={onDiscard}>{t("chat.discard")}</Button>
    </span>
  );
}

/** A run that is going on, or that the stored transcript does not have yet. */
export function LiveTurnView({ turn, onRetry, onDiscard }: LiveProps): ReactElement {
  const { t } = useTranslation();
  const { run, blocks } = turn;
  const isBusy = isActive(run);
  const hasReply = blocks.length > 0 || run.phase === "error" || run.phase === "aborted" || isBusy;
  const last = blocks.at(-1);
  const isWriting = last?.kind === "text" || (last?.kind === "tool" && last.call.status === "running");
  return (
    <>
      {turn.showUser && (
        <Bubble text={run.userText ?? ""} label={undefined} isPending={run.delivery !== "accepted"}>
          <DeliveryNote run={run} onRetry={() => onRetry(run.runId)} onDiscard={() => onDiscard(run.runId)} />
        </Bubble>
      )}
      {hasReply && (
        <Reply blocks={blocks} isLive={isBusy}>
          {isBusy && (!isWriting || run.isStopping) && <Thinking isStopping={run.isStopping} />}
          {run.phase === "aborted" && <div className={classes["meta"]}><span>{t("chat.aborted")}</span></div>}
          {run.phase === "error" && (
            <Failure message={run.error ?? ""} onRetry={run.userText === undefined ? undefined : () => onRetry(run.runId)} />
          )}
        </Reply>
      )}
    </>
  );
}
