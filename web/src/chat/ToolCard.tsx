import { Loader } from "@mantine/core";
import { memo, useEffect, useRef, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../shell/icons.tsx";
import type { ToolCall, ToolStatus } from "./model.ts";
import { formatDuration, knownTool, toolIcon, toolInput, toolTarget } from "./toolText.ts";
import classes from "./ToolCard.module.css";

/** Shorter durations would be shown as zero. */
const NOTABLE_MS = 50;

function StatusMark({ status }: { status: ToolStatus }): ReactElement {
  const { t } = useTranslation();
  if (status === "running") return <Loader size={14} aria-label={t("tool.running")} />;
  const icon = status === "done" ? "check" : status === "failed" ? "cross" : "more";
  return (
    <span className={classes["mark"]} data-status={status} role="img" aria-label={t(`tool.${status}`)}>
      <Icon name={icon} size={15} />
    </span>
  );
}

/** Facts at the end of the row: time taken, or how much output there is. */
function Facts({ call }: { call: ToolCall }): ReactElement | null {
  const { t, i18n } = useTranslation();
  if (call.status === "running") return null;
  const lines = call.output === "" ? 0 : call.output.trimEnd().split("\n").length;
  const isTimed = call.startedAt !== undefined && call.endedAt !== undefined && call.endedAt >= call.startedAt;
  const duration = isTimed ? (call.endedAt ?? 0) - (call.startedAt ?? 0) : 0;
  const time = duration < NOTABLE_MS ? "" : formatDuration(duration, i18n.language);
  const size = lines > 0 ? t("tool.lines", { count: lines }) : "";
  return <span className={classes["facts"]}>{[size, time].filter((fact) => fact !== "").join(" · ")}</span>;
}

function Output({ call }: { call: ToolCall }): ReactElement {
  const { t } = useTranslation();
  const box = useRef<HTMLPreElement>(null);
  // Live output is read at its end.
  useEffect(() => {
    if (call.status === "running" && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [call.output, call.status]);
  if (call.output === "") return <p className={classes["none"]}>{t("tool.noOutput")}</p>;
  return <pre ref={box} className={classes["text"]} tabIndex={0} role="region" aria-label={t("tool.output")}>{call.output}</pre>;
}

function Body({ call }: { call: ToolCall }): ReactElement {
  const { t } = useTranslation();
  const input = toolInput(call.args);
  return (
    <div className={classes["body"]}>
      {input !== "" && (
        <>
          <p className={classes["caption"]}>{t("tool.input")}</p>
          <pre className={classes["text"]} tabIndex={0} role="region" aria-label={t("tool.input")}>{input}</pre>
          <p className={classes["caption"]}>{t("tool.output")}</p>
        </>
      )}
      <Output call={call} />
    </div>
  );
}

/** One tool call: what, on what, how it went; opens to arguments and output, and shows live output while it runs. */
export const ToolCard = memo(function ToolCard({ call }: { call: ToolCall }): ReactElement {
  const { t } = useTranslation();
  const [choice, setChoice] = useState<boolean | undefined>(undefined);
  const isOpen = choice ?? (call.status === "running" && call.output !== "");
  const known = knownTool(call.name);
  return (
    <div className={classes["card"]} data-status={call.status}>
      <button type="button" className={classes["head"]} aria-expanded={isOpen} onClick={() => setChoice(!isOpen)}>
        <span className={classes["icon"]}><Icon name={toolIcon(call.name)} size={16} /></span>
        <span className={classes["name"]}>{known === undefined ? call.name : t(`tool.name.${known}`)}</span>
        <span className={classes["target"]}>{toolTarget(call.args)}</span>
        <Facts call={call} />
        <StatusMark status={call.status} />
        <span className={classes["chevron"]}><Icon name="chevron" size={15} /></span>
      </button>
      {isOpen && <Body call={call} />}
    </div>
  );
});
