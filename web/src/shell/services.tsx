import { createContext, useContext, useSyncExternalStore } from "react";
import type { ChatStore } from "../chat/store.ts";
import type { Drafts } from "../chat/drafts.ts";
import type { Login } from "../login/login.ts";
import type { ConnectionState, GatewayConnection } from "../protocol/connection.ts";

/** The long-lived objects of the page; they outlive every component. */
export interface Services {
  connection: GatewayConnection;
  chats: ChatStore;
  drafts: Drafts;
  login: Login;
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === null) throw new Error("ServicesContext is missing");
  return services;
}

export function useConnectionState(): ConnectionState {
  const { connection } = useServices();
  return useSyncExternalStore(connection.onState, connection.getState);
}
