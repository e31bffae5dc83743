import { type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { SentFile } from "./model.ts";
import classes from "./FileView.module.css";

const SHOWN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

function sizeText(bytes: number, language: string): string {
  const [value, unit] = bytes >= 1_000_000 ? [bytes / 1_000_000, "megabyte"] : [bytes / 1_000, "kilobyte"];
  return new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
}

/** A file that came with a reply: a picture in place, anything else as a link that saves it. */
export function FileView({ file }: { file: SentFile }): ReactElement {
  const { t, i18n } = useTranslation();
  if (SHOWN.has(file.mimeType))
    return (
      <a className={classes["picture"]} href={file.url} target="_blank" rel="noreferrer">
        <img src={file.url} alt={file.name} loading="lazy" />
      </a>
    );
  return (
    <a className={classes["file"]} href={file.url} download={file.name} aria-label={t("chat.saveFile", { name: file.name })}>
      <span className={classes["name"]}>{file.name}</span>
      <span className={classes["size"]}>{sizeText(file.size, i18n.language)}</span>
    </a>
  );
}
