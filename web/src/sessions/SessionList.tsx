import { Button, Loader, Skeleton } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { useConnectionState } from "../shell/services.tsx";
import { Icon } from "../shell/icons.tsx";
import { useSessions } from "./queries.ts";
import { ageOf, type Age, type SessionRow } from "./rows.ts";
import classes from "./SessionList.module.css";

const AGES: readonly Age[] = ["today", "yesterday", "earlier"];

export function useSessionTitle(): (key: string, row: SessionRow | undefined) => string {
  const { t } = useTranslation();
  const state = useConnectionState();
  const mainKey = state.kind === "ready" ? state.hello.mainSessionKey : "agent:main:main";
  return (key, row) => {
    if (key === mainKey) return row?.label ?? t("sessions.main");
    return row?.title ?? row?.preview ?? t("sessions.untitled");
  };
}

function Row({ row, isSelected, onPick }: { row: SessionRow; isSelected: boolean; onPick: () => void }): ReactElement {
  const { t } = useTranslation();
  const title = useSessionTitle()(row.key, row);
  return (
    <li>
      <Link href={`/chat/${encodeURIComponent(row.key)}`} className={classes["row"] ?? ""} onClick={onPick}
        aria-current={isSelected ? "page" : undefined}>
        <span className={classes["line"]}>
          <span className={classes["title"]}>{title}</span>
          {row.channel !== undefined && <span className={classes["channel"]}>{row.channel}</span>}
          {row.isRunning && <Loader size={12} aria-label={t("sessions.running")} />}
        </span>
        {row.preview !== undefined && row.preview !== title && <span className={classes["preview"]}>{row.preview}</span>}
      </Link>
    </li>
  );
}

function Loading(): ReactElement {
  return (
    <div className={classes["loading"]} aria-hidden="true">
      {[70, 55, 80].map((width) => <Skeleton key={width} height={14} width={`${width}%`} />)}
    </div>
  );
}

interface Props {
  selected: string;
  onNew: () => void;
  onPick: () => void;
}

/** All conversations, grouped by age, with the button for a new one. */
export function SessionList({ selected, onNew, onPick }: Props): ReactElement {
  const { t } = useTranslation();
  const sessions = useSessions();
  const rows = sessions.data?.rows ?? [];
  const now = new Date();
  const groups = AGES.map((age) => ({ age, rows: rows.filter((row) => ageOf(row.updatedAt, now) === age) }));
  return (
    <nav className={classes["nav"]} aria-label={t("sessions.title")}>
      <Button variant="default" leftSection={<Icon name="plus" />} onClick={onNew} justify="flex-start" className={classes["new"] ?? ""}>
        {t("sessions.new")}
      </Button>
      <div className={classes["scroll"]}>
        {sessions.isPending && <Loading />}
        {sessions.isError && <p className={classes["note"]} role="alert">{t("sessions.failed", { message: sessions.error.message })}</p>}
        {sessions.isSuccess && rows.length === 0 && <p className={classes["note"]}>{t("sessions.empty")}</p>}
        {groups.filter((group) => group.rows.length > 0).map((group) => (
          <section key={group.age}>
            <h2 className={classes["age"]}>{t(`sessions.${group.age}`)}</h2>
            <ul className={classes["list"]}>
              {group.rows.map((row) => <Row key={row.key} row={row} isSelected={row.key === selected} onPick={onPick} />)}
            </ul>
          </section>
        ))}
      </div>
    </nav>
  );
}
