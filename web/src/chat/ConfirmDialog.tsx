import "../shell/dialogStyles.css";
import { Button, Modal } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import classes from "./ConfirmDialog.module.css";

export type Action = "reset" | "delete";

interface Props {
  action: Action;
  title: string;
  onClose: () => void;
  onConfirm: () => Promise<void>;
}

/** Asks before something that cannot be taken back, and says so when it failed. */
export default function ConfirmDialog({ action, title, onClose, onConfirm }: Props): ReactElement {
  const { t } = useTranslation();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string | undefined>(undefined);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    try {
      await onConfirm();
    } catch (reason) {
      setError(reason instanceof Error ? reason.message : String(reason));
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} centered radius="lg" title={t(`confirm.${action}Title`)} closeButtonProps={{ "aria-label": t("confirm.close") }}
      classNames={{ title: classes["title"] ?? "" }}>
      <p className={classes["text"]}>{t(`confirm.${action}Text`, { title })}</p>
      {error !== undefined && <p className={classes["error"]} role="alert">{t("confirm.failed", { message: error })}</p>}
      <div className={classes["buttons"]}>
        <Button variant="default" onClick={onClose} data-autofocus>{t("confirm.cancel")}</Button>
        <Button color="red.8" loading={isBusy} onClick={() => void confirm()}>{t(`confirm.${action}Action`)}</Button>
      </div>
    </Modal>
  );
}
