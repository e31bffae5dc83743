import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Icon, Mark, type IconName } from "../shell/icons.tsx";
import classes from "./EmptyChat.module.css";

const SUGGESTIONS: readonly { key: "files" | "time" | "status" | "help"; icon: IconName }[] = [
  { key: "files", icon: "folder" },
  { key: "time", icon: "clock" },
  { key: "status", icon: "pulse" },
  { key: "help", icon: "help" },
];

/** A conversation nobody has spoken in yet. */
export function EmptyChat({ onPick }: { onPick: (text: string) => void }): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={classes["empty"]}>
      <Mark size={44} />
      <h2 className={classes["title"]}>{t("empty.title")}</h2>
      <p className={classes["text"]}>{t("empty.text")}</p>
      <div className={classes["chips"]}>
        {SUGGESTIONS.map(({ key, icon }) => (
          <Button key={key} variant="default" radius="xl" fw={500} leftSection={<Icon name={icon} size={16} />} onClick={() => onPick(t(`empty.${key}`))}>
            {t(`empty.${key}`)}
          </Button>
        ))}
      </div>
    </div>
  );
}
