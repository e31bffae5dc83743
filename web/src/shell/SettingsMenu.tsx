import "./menuStyles.css";
import { Menu, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Icon, type IconName } from "./icons.tsx";
import { useServices } from "./services.tsx";

const SCHEMES: readonly { scheme: MantineColorScheme; icon: IconName }[] = [
  { scheme: "auto", icon: "screen" },
  { scheme: "light", icon: "sun" },
  { scheme: "dark", icon: "moon" },
];

/** Appearance, and the way out. */
export default function SettingsMenu({ button }: { button: ReactElement }): ReactElement {
  const { t } = useTranslation();
  const { login } = useServices();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="top-end" width={230} defaultOpened withInitialFocusPlaceholder={false}>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("menu.theme")}</Menu.Label>
        <Menu.RadioGroup value={colorScheme} onChange={(value) => setColorScheme(value as MantineColorScheme)}>
          {SCHEMES.map(({ scheme, icon }) => (
            <Menu.RadioItem key={scheme} value={scheme} rightSection={<Icon name={icon} size={16} />}>{t(`menu.${scheme}`)}</Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="exit" size={16} />} onClick={() => login.signOut()}>{t("menu.signOut")}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
