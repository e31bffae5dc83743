import { useEffect, useState, useSyncExternalStore, type ReactElement } from "react";
import { Redirect, Route, Switch } from "wouter";
import { LoginPage } from "../login/LoginPage.tsx";
import { PairingPage } from "./PairingPage.tsx";
import { ProblemPage } from "./ProblemPage.tsx";
import { useConnectionState, useServices } from "./services.tsx";
import { Shell } from "./Shell.tsx";
import { Splash } from "./Splash.tsx";

/** A connection that slept with the computer is checked the moment somebody looks at the page again. */
function useWakeUp(): void {
  const { connection } = useServices();
  useEffect(() => {
    const wake = (): void => {
      if (document.visibilityState === "visible") void connection.probe();
    };
    document.addEventListener("visibilitychange", wake);
    globalThis.addEventListener("online", wake);
    return () => {
      document.removeEventListener("visibilitychange", wake);
      globalThis.removeEventListener("online", wake);
    };
  }, [connection]);
}

function Pages(): ReactElement {
  return (
    <Switch>
      <Route path="/chat">{() => <Shell routeKey={undefined} />}</Route>
      <Route path="/chat/:key">{(params) => <Shell routeKey={decodeURIComponent(params.key)} />}</Route>
      <Route>{() => <Redirect to="/chat" replace />}</Route>
    </Switch>
  );
}

/** Chooses the page by where login and connection stand. */
export function App(): ReactElement {
  const { login } = useServices();
  const state = useConnectionState();
  const { isBusy, error } = useSyncExternalStore(login.subscribe, login.getState);
  const [hasBeenReady, setBeenReady] = useState(false);
  useWakeUp();
  const isStopped = state.kind === "stopped";
  if (state.kind === "ready" && !hasBeenReady) setBeenReady(true);
  if (isStopped && hasBeenReady) setBeenReady(false);
  if (state.kind === "pairing") return <PairingPage requestId={state.requestId} />;
  if (isStopped || (isBusy && error === undefined && state.kind !== "idle" && !hasBeenReady)) {
    const problem = isStopped ? state.problem : undefined;
    if (problem === undefined || problem.kind === "unauthorized") return <LoginPage hint={login.isRemembered ? "signedOut" : undefined} />;
    if (problem.kind === "rateLimited") return <LoginPage hint="limited" />;
    return <ProblemPage problem={{ ...problem, kind: problem.kind }} />;
  }
  return hasBeenReady ? <Pages /> : <Splash />;
}
