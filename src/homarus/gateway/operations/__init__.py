"""Operations: each declared once, served over WebSocket now and over JSON-RPC and REST from the same registry."""
