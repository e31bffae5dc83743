import { Button, Loader } from "@mantine/core";
import { useEffect, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useConnectionState, useServices } from "./services.tsx";
import classes from "./Banner.module.css";

/** A blink of the connection is not worth a banner. */
const PATIENCE_MS = 800;

/** Says that the connection is gone and what happens next. */
export function ConnectionBanner(): ReactElement {
  const { t } = useTranslation();
  const { connection } = useServices();
  const state = useConnectionState();
  const isReady = state.kind === "ready";
  const [isShown, setShown] = useState(false);
  const [isRestart, setRestart] = useState(false);
  if (state.kind === "waiting" && isRestart !== (state.cause === "restart") && state.attempt <= 1) setRestart(state.cause === "restart");
  useEffect(() => {
    if (isReady) setShown(false);
    if (isReady) return undefined;
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isReady]);
  return (
    <div role="status">
      {isShown && !isReady && (
        <div className={classes["banner"]}>
          <Loader size={14} aria-hidden="true" />
          <span className={classes["text"]}>{isRestart ? t("connection.restart") : t("connection.lost")}</span>
          <Button size="compact-sm" variant="default" onClick={() => connection.retryNow()}>{t("connection.retryNow")}</Button>
        </div>
      )}
    </div>
  );
}
