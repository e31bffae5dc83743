import { ActionIcon } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { lazy, Suspense, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { ChatActions } from "../chat/ChatActions.tsx";
import { ChatPage } from "../chat/ChatPage.tsx";
import { useSessions, useSessionUpdates } from "../sessions/queries.ts";
import { newSessionKey, type SessionRow } from "../sessions/rows.ts";
import { SessionList, useSessionTitle } from "../sessions/SessionList.tsx";
import { ConnectionBanner } from "./ConnectionBanner.tsx";
import { Icon, Mark } from "./icons.tsx";
import { LoginNotice } from "./LoginNotice.tsx";
import { useConnectionState } from "./services.tsx";
import { SidebarFooter } from "./SidebarFooter.tsx";
import classes from "./Shell.module.css";

const SidebarDrawer = lazy(() => import("./SidebarDrawer.tsx"));

interface SidebarProps {
  selected: string;
  row: SessionRow | undefined;
  onNew: () => void;
  onPick: () => void;
}

function Sidebar({ selected, row, onNew, onPick }: SidebarProps): ReactElement {
  const { t } = useTranslation();
  return (
    <aside className={classes["sidebar"]} aria-label={t("app.name")}>
      <div className={classes["brand"]}><Mark /><span>{t("app.name")}</span></div>
      <SessionList selected={selected} onNew={onNew} onPick={onPick} />
      <SidebarFooter model={row?.model} />
    </aside>
  );
}

/** The page's frame: conversations on the left (a drawer on phones), the chosen one beside them. */
export function Shell({ routeKey }: { routeKey: string | undefined }): ReactElement {
  const { t } = useTranslation();
  const state = useConnectionState();
  const [, navigate] = useLocation();
  const [isDrawerOpen, setDrawerOpen] = useState(false);
  const [isDrawerWanted, setDrawerWanted] = useState(false);
  const isWide = useMediaQuery("(min-width: 861px)", true, { getInitialValueInEffect: false });
  useSessionUpdates();
  const sessions = useSessions();
  const titleOf = useSessionTitle();
  const hello = state.kind === "ready" ? state.hello : undefined;
  const [mainKey, setMainKey] = useState(hello?.mainSessionKey ?? "agent:main:main");
  if (hello !== undefined && hello.mainSessionKey !== mainKey) setMainKey(hello.mainSessionKey);
  const sessionKey = routeKey ?? mainKey;
  const row = sessions.data?.rows.find((candidate) => candidate.key === sessionKey);
  const title = titleOf(sessionKey, row);
  const onPick = (): void => setDrawerOpen(false);
  const openDrawer = (): void => {
    setDrawerWanted(true);
    setDrawerOpen(true);
  };
  const onNew = (): void => {
    navigate(`/chat/${encodeURIComponent(newSessionKey(hello?.defaultAgentId ?? "main"))}`);
    setDrawerOpen(false);
  };
  const sidebar = <Sidebar selected={sessionKey} row={row} onNew={onNew} onPick={onPick} />;
  return (
    <div className={classes["shell"]}>
      <a className={classes["skip"]} href="#composer">{t("sessions.skip")}</a>
      {isWide && sidebar}
      {!isWide && isDrawerWanted && (
        <Suspense fallback={null}>
          <SidebarDrawer isOpen={isDrawerOpen} onClose={() => setDrawerOpen(false)}>{sidebar}</SidebarDrawer>
        </Suspense>
      )}
      <main className={classes["main"]}>
        <header className={classes["header"]}>
          {!isWide && (
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("sessions.open")} onClick={openDrawer}><Icon name="menu" /></ActionIcon>
          )}
          <h1 className={classes["title"]}>{title}</h1>
          <ChatActions key={sessionKey} sessionKey={sessionKey} title={title} />
        </header>
        <ConnectionBanner />
        <LoginNotice />
        <ChatPage sessionKey={sessionKey} row={row} />
      </main>
    </div>
  );
}
