import { useCallback, useEffect, useSyncExternalStore, type ReactElement } from "react";
import type { SessionRow } from "../sessions/rows.ts";
import { useConnectionState, useServices } from "../shell/services.tsx";
import { Composer } from "./Composer.tsx";
import { isActive } from "./run.ts";
import type { Chat } from "./store.ts";
import { Transcript } from "./Transcript.tsx";

function useChat(sessionKey: string): Chat {
  const { chats } = useServices();
  const isReady = useConnectionState().kind === "ready";
  useEffect(() => {
    if (isReady) chats.open(sessionKey);
  }, [chats, sessionKey, isReady]);
  return useSyncExternalStore(chats.subscribe, () => chats.get(sessionKey));
}

/** One conversation: what was said, what is going on, and where to write. */
export function ChatPage({ sessionKey, row }: { sessionKey: string; row: SessionRow | undefined }): ReactElement {
  const { chats } = useServices();
  const chat = useChat(sessionKey);
  const send = useCallback((text: string) => void chats.send(sessionKey, text), [chats, sessionKey]);
  const isRunning = chat.runs.some(isActive) || row?.isRunning === true;
  return (
    <>
      <Transcript sessionKey={sessionKey} chat={chat} onSuggest={send} />
      <Composer key={sessionKey} sessionKey={sessionKey} isRunning={isRunning} onSend={send} />
    </>
  );
}
