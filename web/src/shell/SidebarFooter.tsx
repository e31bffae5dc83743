import { lazy, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ConnectionState } from "../protocol/connection.ts";
import { useSessions } from "../sessions/queries.ts";
import { MenuButton } from "./MenuButton.tsx";
import { useConnectionState } from "./services.tsx";
import classes from "./SidebarFooter.module.css";

const SettingsMenu = lazy(() => import("./SettingsMenu.tsx"));

type Label = "ready" | "connecting" | "waiting" | "offline";

function labelOf(state: ConnectionState): Label {
  if (state.kind === "ready" || state.kind === "connecting" || state.kind === "waiting") return state.kind;
  return "offline";
}

/** Connection, model and version at the foot of the list, and the page's few settings. */
export function SidebarFooter({ model }: { model: string | undefined }): ReactElement {
  const { t } = useTranslation();
  const state = useConnectionState();
  const sessions = useSessions();
  const shownModel = model ?? sessions.data?.defaultModel;
  const label = labelOf(state);
  const version = state.kind === "ready" ? state.hello.serverVersion : "";
  return (
    <footer className={classes["footer"]}>
      <div className={classes["facts"]}>
        <span className={classes["state"]}><span className={classes["dot"]} data-state={label} aria-hidden="true" />{t(`connection.${label}`)}</span>
        {shownModel !== undefined && <span className={classes["model"]} title={`${t("footer.model")}: ${shownModel}`}>{shownModel}</span>}
        {version !== "" && <span className={classes["small"]}>{t("footer.version", { version })}</span>}
      </div>
      <MenuButton label={t("menu.settings")} icon="settings">{(button) => <SettingsMenu button={button} />}</MenuButton>
    </footer>
  );
}
