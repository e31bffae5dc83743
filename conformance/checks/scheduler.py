"""`openclaw cron …`: a job from its making to its removal."""

from __future__ import annotations

import asyncio

from conformance.family import Family, check, expect

PATIENCE = 30.0


class Scheduler(Family):
    """One job goes through every command."""

    title = "cron"
    job = ""

    @check("cron add")
    async def add(self) -> str:
        """A job is made."""
        arguments = ("--name", "conformance", "--every", "1h", "--session", "isolated", "--message", "say hi")
        found = (await self.stage.client("cron", "add", "--json", *arguments, "--no-deliver")).json()
        expect(found["schedule"]["everyMs"] == 3_600_000, found)
        self.job = found["id"]
        return self.job

    @check("cron list, cron status")
    async def list(self) -> str:
        """It is listed and counted."""
        found = (await self.stage.client("cron", "list", "--json")).json()
        expect([row["id"] for row in found["jobs"]] == [self.job], found)
        status = (await self.stage.client("cron", "status", "--json")).json()
        expect(status["enabled"] and status["jobs"] == 1, status)
        return f"{len(found['jobs'])} job"

    @check("cron edit, cron disable, cron enable")
    async def edit(self) -> str:
        """Its name and its schedule change."""
        arguments = ("--name", "renamed", "--cron", "0 9 * * 1-5", "--tz", "Europe/London")
        (await self.stage.client("cron", "edit", self.job, *arguments)).text()
        (await self.stage.client("cron", "disable", self.job)).text()
        (await self.stage.client("cron", "enable", self.job)).text()
        row = (await self.stage.client("cron", "list", "--json")).json()["jobs"][0]
        expect(row["name"] == "renamed" and row["schedule"]["kind"] == "cron" and row["enabled"], row)
        return "cron, renamed, enabled"

    @check("cron run, cron runs")
    async def run(self) -> str:
        """It runs at once, and its run log says so."""
        (await self.stage.client("cron", "run", self.job)).text()
        async with asyncio.timeout(PATIENCE):
            while True:
                found = (await self.stage.client("cron", "runs", "--id", self.job)).json()
                finished = [row for row in found["entries"] if row.get("action") == "finished"]
                if finished:
                    break
        expect(finished[0]["status"] == "ok", finished[0])
        return str(finished[0].get("summary", "ok"))

    @check("cron rm")
    async def remove(self) -> str:
        """It is gone."""
        (await self.stage.client("cron", "rm", self.job, "--json")).json()
        found = (await self.stage.client("cron", "list", "--json")).json()
        expect(found["jobs"] == [], found)
        return "gone"
