"""The heartbeat: an agent looks at its checklist now and then, and speaks up only when something needs attention."""
