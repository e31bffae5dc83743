import type { ReactElement, ReactNode } from "react";
import { Mark } from "./icons.tsx";
import classes from "./Card.module.css";

/** The one calm card in the middle of the page, for login and problems. */
export function Card({ title, children }: { title: string; children: ReactNode }): ReactElement {
  return (
    <main className={classes["page"]}>
      <div className={classes["card"]}>
        <Mark size={40} />
        <h1 className={classes["title"]}>{title}</h1>
        {children}
      </div>
    </main>
  );
}
