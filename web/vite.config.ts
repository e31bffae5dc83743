import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Hashed file names let the gateway mark /assets/ immutable. Nothing is inlined as data: URLs, so that a strict
// content security policy holds, and no module-preload polyfill is injected.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "dist",
    target: ["chrome137", "firefox130", "safari17"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    sourcemap: false,
    reportCompressedSize: false,
  },
});
