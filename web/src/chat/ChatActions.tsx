import { lazy, Suspense, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { MenuButton } from "../shell/MenuButton.tsx";
import { useConnectionState, useServices } from "../shell/services.tsx";
import type { Action } from "./ConfirmDialog.tsx";

const ChatMenu = lazy(() => import("./ChatMenu.tsx"));
const ConfirmDialog = lazy(() => import("./ConfirmDialog.tsx"));

/** Starting over and deleting, each behind a question. The main conversation cannot be deleted. */
export function ChatActions({ sessionKey, title }: { sessionKey: string; title: string }): ReactElement {
  const { t } = useTranslation();
  const { connection, chats } = useServices();
  const state = useConnectionState();
  const [, navigate] = useLocation();
  const [action, setAction] = useState<Action | undefined>(undefined);
  const isReady = state.kind === "ready";
  const isMain = isReady && state.hello.mainSessionKey === sessionKey;
  const run = async (): Promise<void> => {
    if (action === "reset") await connection.request("sessions.reset", { key: sessionKey, reason: "reset" });
    else await connection.request("sessions.delete", { key: sessionKey });
    chats.forget(sessionKey);
    if (action === "delete") navigate("/chat");
    else void chats.reload(sessionKey);
    setAction(undefined);
  };
  return (
    <>
      <MenuButton label={t("menu.label")} icon="more" isDisabled={!isReady}>
        {(button) => <ChatMenu button={button} canDelete={!isMain} onPick={setAction} />}
      </MenuButton>
      <Suspense fallback={null}>
        {action !== undefined && <ConfirmDialog action={action} title={title} onClose={() => setAction(undefined)} onConfirm={run} />}
      </Suspense>
    </>
  );
}
