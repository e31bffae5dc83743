import { ActionIcon, Textarea } from "@mantine/core";
import { useEffect, useRef, useState, type KeyboardEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../shell/icons.tsx";
import { useConnectionState, useServices } from "../shell/services.tsx";
import classes from "./Composer.module.css";

interface Props {
  sessionKey: string;
  isRunning: boolean;
  onSend: (text: string) => void;
}

/** Enter sends, but never the Enter that ends an input method's composition. */
function isSendKey(event: KeyboardEvent): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing && event.keyCode !== 229;
}

function StopButton({ sessionKey }: { sessionKey: string }): ReactElement {
  const { t } = useTranslation();
  const { chats } = useServices();
  const [error, setError] = useState<string | undefined>(undefined);
  const stop = (): void => {
    setError(undefined);
    chats.abort(sessionKey).catch((reason: unknown) => setError(reason instanceof Error ? reason.message : String(reason)));
  };
  return (
    <>
      {error !== undefined && <span className={classes["error"]} role="alert">{t("composer.stopFailed", { message: error })}</span>}
      <ActionIcon size={38} radius="xl" variant="default" onClick={stop} aria-label={t("composer.stop")} title={t("composer.stop")}>
        <Icon name="stop" />
      </ActionIcon>
    </>
  );
}

/** Where messages are written. Its draft outlives switching chats, reloads and lost connections. */
export function Composer({ sessionKey, isRunning, onSend }: Props): ReactElement {
  const { t } = useTranslation();
  const { drafts } = useServices();
  const isReady = useConnectionState().kind === "ready";
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(() => drafts.get(sessionKey));
  const canSend = isReady && text.trim() !== "";
  useEffect(() => {
    // A phone's keyboard would cover half the page unasked.
    if (globalThis.matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, []);
  const change = (value: string): void => {
    setText(value);
    drafts.set(sessionKey, value);
  };
  const send = (): void => {
    if (!canSend) return;
    onSend(text.trim());
    change("");
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isSendKey(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <form className={classes["form"]} onSubmit={(event) => { event.preventDefault(); send(); }}>
      <div className={classes["box"]}>
        <Textarea ref={field} id="composer" className={classes["field"] ?? ""} variant="unstyled" autosize minRows={1} maxRows={10}
          aria-label={t("composer.label")} placeholder={t("composer.placeholder")} value={text} maxLength={200_000}
          aria-describedby="composer-hint" onChange={(event) => change(event.currentTarget.value)} onKeyDown={onKeyDown} />
        <div className={classes["actions"]}>
          {isRunning && <StopButton sessionKey={sessionKey} />}
          <ActionIcon type="submit" size={38} radius="xl" aria-label={t("composer.send")} disabled={!canSend}
            title={isReady ? t("composer.send") : t("composer.offline")}>
            <Icon name="send" />
          </ActionIcon>
        </div>
      </div>
      <p id="composer-hint" className={classes["hint"]} data-offline={!isReady || undefined}>{isReady ? t("composer.hint") : t("composer.offline")}</p>
    </form>
  );
}
