import { ActionIcon } from "@mantine/core";
import { Suspense, useState, type ReactElement } from "react";
import { Icon, type IconName } from "./icons.tsx";

interface Props {
  label: string;
  icon: IconName;
  isDisabled?: boolean;
  /** Renders the menu around the button; called from the first click on. */
  children: (button: ReactElement) => ReactElement;
}

/** A button whose menu is fetched when it is first wanted, and opens as soon as it is here. */
export function MenuButton({ label, icon, isDisabled = false, children }: Props): ReactElement {
  const [isWanted, setWanted] = useState(false);
  const button = (
    <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} title={label} aria-haspopup="menu" disabled={isDisabled}
      onClick={() => setWanted(true)}>
      <Icon name={icon} />
    </ActionIcon>
  );
  return isWanted ? <Suspense fallback={button}>{children(button)}</Suspense> : button;
}
