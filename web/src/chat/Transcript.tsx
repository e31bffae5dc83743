import { Button, Skeleton } from "@mantine/core";
import { useEffect, useMemo, useRef, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../shell/icons.tsx";
import { useServices } from "../shell/services.tsx";
import { EmptyChat } from "./EmptyChat.tsx";
import { textOf, type Entry } from "./model.ts";
import { buildView } from "./reconcile.ts";
import type { Chat } from "./store.ts";
import { LiveTurnView, StoredTurn } from "./Turn.tsx";
import { useFollow } from "./useFollow.ts";
import classes from "./Transcript.module.css";

function Loading(): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={classes["loading"]} role="status" aria-label={t("chat.loading")}>
      <Skeleton height={38} width="45%" radius="lg" ml="auto" />
      <Skeleton height={14} width="85%" />
      <Skeleton height={14} width="70%" />
    </div>
  );
}

/** The message the last stored turn answered. */
function lastQuestion(entries: readonly Entry[]): string {
  const user = entries.findLast((entry) => entry.role === "user");
  return user === undefined ? "" : textOf(user.blocks);
}

interface Props {
  sessionKey: string;
  chat: Chat;
  onSuggest: (text: string) => void;
}

export function Transcript({ sessionKey, chat, onSuggest }: Props): ReactElement {
  const { t } = useTranslation();
  const { chats } = useServices();
  const view = useMemo(() => buildView(chat.history, chat.runs), [chat.history, chat.runs]);
  const follow = useFollow(sessionKey);
  const { toEnd } = follow;
  const ownCount = chat.runs.filter((run) => run.userText !== undefined).length;
  const lastCount = useRef(ownCount);
  // Whoever sends a message wants to see it.
  useEffect(() => {
    if (ownCount > lastCount.current) toEnd();
    lastCount.current = ownCount;
  }, [ownCount, toEnd]);
  const isEmpty = view.entries.length === 0 && view.turns.length === 0;
  const question = lastQuestion(view.entries);
  const resend = view.turns.length === 0 && question !== "" ? () => void chats.send(sessionKey, question) : undefined;
  return (
    <div className={classes["frame"]}>
      <div className={classes["scroller"]} ref={follow.scroller} tabIndex={0} role="log" aria-label={t("chat.transcript")}>
        <div className={classes["column"]} ref={follow.content}>
          {chat.loading === "failed" && (
            <div className={classes["failed"]} role="alert">
              <span>{t("chat.loadFailed", { message: chat.loadError ?? "" })}</span>
              <Button size="compact-sm" variant="default" onClick={() => void chats.reload(sessionKey)}>{t("chat.retry")}</Button>
            </div>
          )}
          {isEmpty && (chat.loading === "loading" || chat.loading === "idle") && <Loading />}
          {isEmpty && chat.loading === "ready" && <EmptyChat onPick={onSuggest} />}
          {view.entries.map((entry, index) => (
            <div key={entry.id} className={classes["stored"]}>
              <StoredTurn entry={entry} onRetry={index === view.entries.length - 1 ? resend : undefined} />
            </div>
          ))}
          {view.turns.map((turn) => (
            <LiveTurnView key={turn.run.runId} turn={turn} onRetry={(runId) => chats.retry(sessionKey, runId)}
              onDiscard={(runId) => chats.discard(sessionKey, runId)} />
          ))}
        </div>
      </div>
      {!follow.isAtEnd && (
        <Button className={classes["latest"] ?? ""} size="xs" radius="xl" variant="default" leftSection={<Icon name="down" size={14} />} onClick={toEnd}>
          {t("chat.latest")}
        </Button>
      )}
    </div>
  );
}
