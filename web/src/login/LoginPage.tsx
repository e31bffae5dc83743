import { Button, TextInput } from "@mantine/core";
import { useState, useSyncExternalStore, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Card } from "../shell/Card.tsx";
import { Command } from "../shell/Command.tsx";
import { useServices } from "../shell/services.tsx";
import classes from "./LoginPage.module.css";

/** How to get in, and one field that takes whatever the user has. */
export function LoginPage({ hint }: { hint: "signedOut" | "limited" | undefined }): ReactElement {
  const { t } = useTranslation();
  const { login } = useServices();
  const state = useSyncExternalStore(login.subscribe, login.getState);
  const [text, setText] = useState("");
  const error = state.error ?? hint;
  return (
    <Card title={t("login.title")}>
      <p>{t("login.intro")}</p>
      <Command text="homarus link" />
      <p>{t("login.introEnd")}</p>
      <form className={classes["form"]} onSubmit={(event) => { event.preventDefault(); void login.submit(text); }}>
        <TextInput label={t("login.label")} placeholder={t("login.placeholder")} value={text} size="md" autoComplete="off" spellCheck={false}
          autoCapitalize="none" autoCorrect="off" onChange={(event) => setText(event.currentTarget.value)}
          error={error === undefined || state.isBusy ? undefined : t(`login.${error}`)} />
        <Button type="submit" size="md" fullWidth loading={state.isBusy}>{t("login.submit")}</Button>
      </form>
    </Card>
  );
}
