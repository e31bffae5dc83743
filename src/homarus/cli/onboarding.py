"""The steps of `homarus onboard`, in order; everything is written at the end, at once."""

from __future__ import annotations

from msgspec import Struct

from homarus.cli.connect_channel import ChannelOptions, connect, next_step
from homarus.cli.connect_model import ModelOptions, connect_by_options, connect_by_questions
from homarus.cli.prompts import choose, confirm, heading
from homarus.cli.screen import paint, say, warn
from homarus.cli.telling import tell_gateway
from homarus.config.paths import StateDir
from homarus.errors import HomarusError
from homarus.ops.channel_setup import Plan, names
from homarus.ops.draft import Draft
from homarus.ops.service_install import define, has_manager, install

_LATER = "none"


class Onboarding(Struct):
    """One run of it. `has_service` None means to ask, or no where nothing is asked."""

    state: StateDir
    model: ModelOptions
    channel: ChannelOptions | None
    is_probed: bool
    is_asking: bool
    has_service: bool | None
    is_written: bool = False

    def run(self) -> None:
        """Ask, try, write, and say what comes next. Raises HomarusError before anything was written."""
        draft = Draft(self.state)
        self._choose_model(draft)
        connected = self._choose_channel(draft)
        wants_service = self._choose_service()
        if wants_service:
            _store_variables(draft)
        self.state.create()
        comments_lost = draft.commit()
        self.is_written = True
        self._report(draft, comments_lost=comments_lost)
        is_running = wants_service and self._install()
        self._say_next(draft, is_running=is_running)
        if connected is not None:
            say(next_step(connected))

    def _choose_model(self, draft: Draft) -> None:
        if self.is_asking:
            say("Return takes the answer in brackets. Ctrl-C leaves everything as it was.")
            connect_by_questions(draft, self.model)
        elif self.model.provider is not None or draft.written("agents.defaults.model") is None:
            connect_by_options(draft, self.model)

    def _choose_channel(self, draft: Draft) -> Plan | None:
        options = self.channel
        if self.is_asking:
            heading("2. A chat channel")
            if options is None:
                rows = [(_LATER, "the browser and the terminal are enough for now"), *((name, "") for name in names())]
                name = choose("Channel", rows, _LATER)
                options = None if name == _LATER else ChannelOptions(name, is_probed=self.is_probed, is_asking=True)
        return None if options is None else connect(draft, options)

    def _choose_service(self) -> bool:
        if self.has_service is not None or not self.is_asking:
            return bool(self.has_service)
        heading("3. Start with this machine")
        return confirm("Install the service?", default=False)

    def _report(self, draft: Draft, *, comments_lost: bool) -> None:
        heading("Done" if self.is_asking else "Written")
        say(f"Configuration: {self.state.config_file}")
        if draft.has_secrets:
            say(f"Secrets:       {draft.dotenv} (only you can read it)")
        if comments_lost:
            warn(f"the comments of the old file are in {self.state.config_file.name}.bak only")

    def _install(self) -> bool:
        """Install the service; a system without one is told how to go on, and the rest stays done."""
        definition = define(self.state, Draft(self.state).preview())
        if not has_manager(definition):
            warn(f"{definition.manager} does not answer here; `homarus service install --print` shows the definition")
            return False
        try:
            install(definition)
        except HomarusError as error:
            warn(f"the service was not installed: {error.message} ({error.fix})")
            return False
        say(f"Service:       {definition.path}, started")
        return True

    def _say_next(self, draft: Draft, *, is_running: bool) -> None:
        say()
        note = None if is_running else tell_gateway(self.state, draft.values)
        if note:
            say(note)
        say(paint("next: homarus status" if is_running or note else "next: homarus up", "bold"))


def _store_variables(draft: Draft) -> None:
    """Keep the variables that the new keys refer to: a service does not inherit them from this terminal."""
    for value in draft.values.values():
        if isinstance(value, str) and value.startswith("${") and value.endswith("}"):
            name = value[2:-1]
            found = draft.variable(name)
            if found is not None and not draft.is_stored(name):
                draft.keep_secret(name, found)
                say(f"{name} is copied to {draft.dotenv}, because the service does not see this terminal's variables.")
