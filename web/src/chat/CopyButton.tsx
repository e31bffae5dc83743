import { ActionIcon } from "@mantine/core";
import { useEffect, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../shell/icons.tsx";

/** Copies a text; absent where the browser offers no clipboard. */
export function CopyButton({ text, label }: { text: string; label: string }): ReactElement | null {
  const { t } = useTranslation();
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  if (navigator.clipboard === undefined) return null;
  const copy = (): void => void navigator.clipboard.writeText(text).then(() => setCopied(true), () => setCopied(false));
  return (
    <ActionIcon variant="subtle" color="gray" size="md" aria-label={isCopied ? t("chat.copied") : label} title={label} onClick={copy}>
      <Icon name={isCopied ? "check" : "copy"} size={16} />
    </ActionIcon>
  );
}
