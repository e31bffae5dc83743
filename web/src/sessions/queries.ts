import { useQuery, useQueryClient, type QueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect } from "react";
import type { EventFrame } from "../protocol/frames.ts";
import type { GatewayConnection } from "../protocol/connection.ts";
import { useConnectionState, useServices } from "../shell/services.tsx";
import { readSessionList, type SessionList } from "./rows.ts";

const KEY = ["sessions"];
const LIMIT = 100;
const REFETCH_PAUSE_MS = 400;

/** The conversations of this gateway, newest first. */
export function useSessions(): UseQueryResult<SessionList> {
  const { connection } = useServices();
  const isReady = useConnectionState().kind === "ready";
  return useQuery({
    queryKey: KEY,
    enabled: isReady,
    queryFn: async () => {
      const params = { limit: LIMIT, includeDerivedTitles: true, includeLastMessage: true };
      return readSessionList(await connection.request("sessions.list", params));
    },
  });
}

function changesList(frame: EventFrame): boolean {
  if (frame.event === "sessions.changed") return true;
  if (frame.event !== "chat") return false;
  const payload = frame.payload as { state?: unknown } | undefined;
  return payload?.state !== "delta";
}

/** Follow changes: one refetch for a burst of events. */
function followChanges(connection: GatewayConnection, client: QueryClient): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const refetch = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void client.invalidateQueries({ queryKey: KEY });
    }, REFETCH_PAUSE_MS);
  };
  const stop = connection.onEvent((frame) => {
    if (changesList(frame)) refetch();
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

/** Keep the list current while the page is open. */
export function useSessionUpdates(): void {
  const { connection } = useServices();
  const client = useQueryClient();
  const isReady = useConnectionState().kind === "ready";
  useEffect(() => followChanges(connection, client), [connection, client]);
  useEffect(() => {
    if (!isReady) return;
    void client.invalidateQueries({ queryKey: KEY });
    // A gateway without this method still sends `chat` events, which are enough to refetch.
    connection.request("sessions.subscribe", {}).catch(() => undefined);
  }, [connection, client, isReady]);
}
