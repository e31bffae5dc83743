import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Problem } from "../protocol/failure.ts";
import { Card } from "./Card.tsx";
import { Command } from "./Command.tsx";
import { useServices } from "./services.tsx";

function InsecureHelp(): ReactElement {
  const { t } = useTranslation();
  const { hostname, port } = globalThis.location;
  const shownPort = port === "" ? "80" : port;
  return (
    <>
      <p>{t("problem.insecureText")}</p>
      <Command text={`ssh -N -L ${shownPort}:127.0.0.1:${shownPort} ${hostname}`} />
      <p>{t("problem.insecureThen", { address: `http://localhost:${shownPort}` })}</p>
    </>
  );
}

type Explained = "insecure" | "unsupported" | "origin" | "protocol" | "refused";

/** A state the page cannot leave by itself: what it is, and what the user can do. */
export function ProblemPage({ problem }: { problem: Problem & { kind: Explained } }): ReactElement {
  const { t } = useTranslation();
  const { connection } = useServices();
  const { kind, message } = problem;
  const retry = kind === "protocol" ? () => globalThis.location.reload() : () => connection.start();
  return (
    <Card title={t(`problem.${kind}Title`)}>
      {kind === "insecure" ? <InsecureHelp /> : <p>{t(`problem.${kind}Text`, { origin: globalThis.location.origin })}</p>}
      {(kind === "refused" || kind === "origin") && <p>{t("problem.details", { message })}</p>}
      <Button onClick={retry} fullWidth>{kind === "protocol" ? t("app.reload") : t("problem.retry")}</Button>
    </Card>
  );
}
