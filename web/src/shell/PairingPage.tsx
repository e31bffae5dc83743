import { Loader } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Card } from "./Card.tsx";
import { Command } from "./Command.tsx";

/** The gateway wants its owner to approve this browser; the connection asks again every few seconds. */
export function PairingPage({ requestId }: { requestId: string | undefined }): ReactElement {
  const { t } = useTranslation();
  return (
    <Card title={t("pairing.title")}>
      <p>{t("pairing.text")}</p>
      <Command text={requestId === undefined ? "homarus devices list" : `homarus devices approve ${requestId}`} />
      <p role="status">{t("pairing.then")}</p>
      <Loader type="dots" aria-hidden="true" />
    </Card>
  );
}
