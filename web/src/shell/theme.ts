import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const teal: MantineColorsTuple = [
  "#effcf9", "#cdf5ec", "#9debdb", "#63dac6", "#2fc1ae", "#14a394", "#0d8378", "#0f6b63", "#115650", "#134843",
];

/** White text stands at 6.3:1 on shade 7 and at 4.6:1 on shade 6. */
export const theme = createTheme({
  primaryColor: "teal",
  colors: { teal },
  primaryShade: { light: 7, dark: 6 },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
});

/** Surfaces of this page, and Mantine's greys where their own contrast is below 4.5:1. */
export const resolveVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-text": "#1b2427",
    "--mantine-color-error": "#b42318",
    "--mantine-color-dimmed": "#55616b",
    "--mantine-color-placeholder": "#66727c",
    "--h-sidebar": "#f5f7f7",
    "--h-raised": "#f3f6f6",
    "--h-hover": "#e9eeee",
    "--h-selected": "#dcefec",
    "--h-line": "#dde4e4",
    "--h-user": "#e3f3f0",
    "--h-ok": "#0f6b63",
    "--h-bad": "#b42318",
    "--h-bad-bg": "#fdf1ef",
    "--h-warn": "#8a5300",
    "--h-warn-bg": "#fff6e0",
    "--h-link": "#0f6b63",
  },
  dark: {
    "--mantine-color-body": "#16191b",
    "--mantine-color-text": "#dfe5e6",
    "--mantine-color-error": "#ff9d91",
    "--mantine-color-default": "#1e2326",
    "--mantine-color-default-hover": "#262d30",
    "--mantine-color-default-border": "#3a4448",
    "--mantine-color-dimmed": "#9eaab0",
    "--mantine-color-placeholder": "#8b979d",
    "--h-sidebar": "#111416",
    "--h-raised": "#1e2326",
    "--h-hover": "#22282b",
    "--h-selected": "#1c3733",
    "--h-line": "#2b3236",
    "--h-user": "#1b3531",
    "--h-ok": "#4fd0be",
    "--h-bad": "#ff9d91",
    "--h-bad-bg": "#33201e",
    "--h-warn": "#f2c46d",
    "--h-warn-bg": "#30281a",
    "--h-link": "#63dac6",
  },
});
