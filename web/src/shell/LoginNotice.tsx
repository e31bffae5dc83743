import { useEffect, useState, useSyncExternalStore, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "./icons.tsx";
import { useServices } from "./services.tsx";
import classes from "./Banner.module.css";

const SHOWN_MS = 4_000;

/** Says for a moment which kind of login was accepted. */
export function LoginNotice(): ReactElement {
  const { t } = useTranslation();
  const { login } = useServices();
  const { took } = useSyncExternalStore(login.subscribe, login.getState);
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    if (took === undefined) return undefined;
    setOver(false);
    const timer = setTimeout(() => setOver(true), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [took]);
  return (
    <div role="status" className={classes["over"]}>
      {took !== undefined && !isOver && (
        <div className={classes["pill"]}><Icon name="check" size={16} />{took === "code" ? t("login.tookCode") : t("login.tookToken")}</div>
      )}
    </div>
  );
}
