import "./dialogStyles.css";
import { Drawer } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import classes from "./SidebarDrawer.module.css";

/** The conversations on a phone. */
export default function SidebarDrawer({ isOpen, onClose, children }: { isOpen: boolean; onClose: () => void; children: ReactNode }): ReactElement {
  const { t } = useTranslation();
  return (
    <Drawer.Root opened={isOpen} onClose={onClose} size={304} padding={0}>
      <Drawer.Overlay />
      <Drawer.Content className={classes["content"] ?? ""} aria-label={t("sessions.title")}>
        <Drawer.Body className={classes["body"] ?? ""}>{children}</Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}
