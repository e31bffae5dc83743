import { Component, type ErrorInfo, type ReactElement, type ReactNode } from "react";
import i18next from "../i18n.ts";
import { Card } from "./Card.tsx";
import { Command } from "./Command.tsx";

interface State {
  report: string | undefined;
}

/** Catches what a page's rendering throws, so that a fault never ends in an empty window. */
export class CrashBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { report: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { report: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    console.error(error, info.componentStack);
  }

  override render(): ReactNode {
    if (this.state.report === undefined) return this.props.children;
    return this.#renderReport(this.state.report);
  }

  #renderReport(report: string): ReactElement {
    return (
      <Card title={i18next.t("app.crashed")}>
        <p>{i18next.t("app.crashedHint")}</p>
        <Command text={report} />
        <a href="/chat">{i18next.t("app.reload")}</a>
      </Card>
    );
  }
}
