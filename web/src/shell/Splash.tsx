import { Loader } from "@mantine/core";
import { useEffect, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Mark } from "./icons.tsx";
import classes from "./Splash.module.css";

const SLOW_MS = 4_000;

/** Before the first answer of the gateway. */
export function Splash(): ReactElement {
  const { t } = useTranslation();
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <main className={classes["splash"]}>
      <h1 className={classes["name"]}><Mark size={44} /><span>{t("app.name")}</span></h1>
      <Loader type="dots" aria-hidden="true" />
      <p role="status">{isSlow ? t("login.unreachable") : t("app.loading")}</p>
    </main>
  );
}
