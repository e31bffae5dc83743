"""HTTP on the gateway's port: probes, login, and the web page."""
