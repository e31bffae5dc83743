import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "../chat/CopyButton.tsx";
import classes from "./Command.module.css";

/** A command to type, with a button that copies it. */
export function Command({ text }: { text: string }): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={classes["command"]}>
      <code>{text}</code>
      <CopyButton text={text} label={t("login.copyCommand")} />
    </div>
  );
}
