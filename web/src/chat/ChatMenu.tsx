import "../shell/menuStyles.css";
import { Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../shell/icons.tsx";
import classes from "./ChatMenu.module.css";
import type { Action } from "./ConfirmDialog.tsx";

interface Props {
  button: ReactElement;
  canDelete: boolean;
  onPick: (action: Action) => void;
}

/** What can be done to a whole conversation. */
export default function ChatMenu({ button, canDelete, onPick }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Menu position="bottom-end" width={200} defaultOpened withInitialFocusPlaceholder={false}>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Icon name="reset" size={16} />} onClick={() => onPick("reset")}>{t("menu.reset")}</Menu.Item>
        {canDelete && (
          <Menu.Item className={classes["danger"] ?? ""} leftSection={<Icon name="trash" size={16} />} onClick={() => onPick("delete")}>{t("menu.delete")}</Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
