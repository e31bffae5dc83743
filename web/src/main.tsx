import "./styles.css";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./i18n.ts";
import { Drafts } from "./chat/drafts.ts";
import { preloadMarkdown } from "./chat/Markdown.tsx";
import { Outbox } from "./chat/outbox.ts";
import { ChatStore } from "./chat/store.ts";
import { Login } from "./login/login.ts";
import { GatewayConnection } from "./protocol/connection.ts";
import { Credentials, openStore } from "./protocol/credentials.ts";
import { loadIdentity, type DeviceIdentity } from "./protocol/identity.ts";
import { App } from "./shell/App.tsx";
import { CrashBoundary } from "./shell/CrashBoundary.tsx";
import { ServicesContext, type Services } from "./shell/services.tsx";
import { takeStyleNonce } from "./shell/styleNonce.ts";
import { resolveVariables, theme } from "./shell/theme.ts";

function once(load: () => Promise<DeviceIdentity>): () => Promise<DeviceIdentity> {
  let identity: Promise<DeviceIdentity> | undefined;
  return () => (identity ??= load());
}

function createServices(): Services {
  const store = openStore();
  const credentials = new Credentials(store);
  const { protocol, host } = globalThis.location;
  const connection = new GatewayConnection({
    url: `${protocol === "https:" ? "wss:" : "ws:"}//${host}/ws`,
    credentials,
    loadIdentity: once(loadIdentity),
    facts: { version: "homarus-web", platform: navigator.platform || "web", locale: navigator.language, userAgent: navigator.userAgent },
  });
  const chats = new ChatStore(connection, new Outbox(store));
  return { connection, chats, drafts: new Drafts(store), login: new Login(connection, credentials) };
}

/** Read the login secret and take it out of the address bar and the history at once. */
function takeFragment(): string {
  const { hash, pathname } = globalThis.location;
  if (hash === "" && pathname !== "/login") return "";
  globalThis.history.replaceState(null, "", pathname === "/login" ? "/chat" : pathname);
  return hash;
}

const styleNonce = takeStyleNonce();
const services = createServices();
const queries = new QueryClient({ defaultOptions: { queries: { retry: 1, staleTime: 5_000, refetchOnWindowFocus: false } } });
const root = document.getElementById("root");
if (root === null) throw new Error("index.html lacks #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={resolveVariables} defaultColorScheme="auto" getStyleNonce={() => styleNonce}>
      <CrashBoundary>
        <ServicesContext value={services}>
          <QueryClientProvider client={queries}>
            <App />
          </QueryClientProvider>
        </ServicesContext>
      </CrashBoundary>
    </MantineProvider>
  </StrictMode>,
);
// Fetched beside the handshake, so that the first answer is never seen as raw Markdown.
preloadMarkdown();
void services.login.begin(takeFragment());
globalThis.addEventListener("hashchange", () => {
  const hash = takeFragment();
  if (hash.includes("code=") || hash.includes("token=")) void services.login.begin(hash);
});
