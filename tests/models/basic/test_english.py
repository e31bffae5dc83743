# ruff: noqa: E501 - one phrase a line is easier to read
from __future__ import annotations

import json
import time

import pytest

from homarus.clock import SystemClock
from homarus.models.basic.model import BasicModel
from homarus.models.contract import Completed, ModelRequest, Text, ToolCall, ToolSpec, UserMessage

TOOLS = tuple(
    ToolSpec(name, "", {"type": "object"})
    for name in ("list", "read", "write", "edit", "exec", "remember", "recall", "session_status")
)

CALLS: list[tuple[str, str, dict[str, str]]] = [
    ("list the files", "list", {"path": "."}),
    ("List files", "list", {"path": "."}),
    ("ls", "list", {"path": "."}),
    ("files", "list", {"path": "."}),
    ("please list the files", "list", {"path": "."}),
    ("Could you please list the files in the workspace?", "list", {"path": "."}),
    ("Please show me the list of files in the workspace.", "list", {"path": "."}),
    ("show me the files", "list", {"path": "."}),
    ("show me all my files please", "list", {"path": "."}),
    ("list the files in notes", "list", {"path": "notes"}),
    ("list all files in the notes folder", "list", {"path": "notes"}),
    ("Can you list the files in `src/app`?", "list", {"path": "src/app"}),
    ('list the files in "my documents"', "list", {"path": "my documents"}),
    ("what files are there?", "list", {"path": "."}),
    ("What files do I have", "list", {"path": "."}),
    ("what files are in notes?", "list", {"path": "notes"}),
    ("which files are in the workspace?", "list", {"path": "."}),
    ("what's in the workspace?", "list", {"path": "."}),
    ("what is in the folder notes?", "list", {"path": "notes"}),
    ("give me a list of the files", "list", {"path": "."}),
    ("Hey, would you list the files for me?", "list", {"path": "."}),
    ("ls notes", "list", {"path": "notes"}),
    ("Could you please show me what files are in the workspace?", "list", {"path": "."}),
    ("list my workspace files", "list", {"path": "."}),
    ("what files do you see in the workspace?", "list", {"path": "."}),
    ("can you run the command ls?", "exec", {"command": "ls"}),
    ("Run `ls -la` and tell me what you see", "exec", {"command": "ls -la"}),
    ("list the contents of the workspace", "list", {"path": "."}),
    ("show README.md", "read", {"path": "README.md"}),
    ("show me README.md please", "read", {"path": "README.md"}),
    ("read the file notes/todo.txt", "read", {"path": "notes/todo.txt"}),
    ("open todo.txt", "read", {"path": "todo.txt"}),
    ("cat todo.txt", "read", {"path": "todo.txt"}),
    ("Could you open `todo.txt`?", "read", {"path": "todo.txt"}),
    ("please read 'my list.txt'.", "read", {"path": "my list.txt"}),
    ("what's in todo.txt?", "read", {"path": "todo.txt"}),
    ("what is in the file todo.txt?", "read", {"path": "todo.txt"}),
    ("what does todo.txt say?", "read", {"path": "todo.txt"}),
    ("show me the contents of todo.txt", "read", {"path": "todo.txt"}),
    ("display the file called plan.md", "read", {"path": "plan.md"}),
    ("write a note to shopping.txt: milk", "write", {"path": "shopping.txt", "content": "milk\n"}),
    ("write a note called groceries: milk and eggs", "write", {"path": "notes/groceries.md", "content": "milk and eggs\n"}),
    ("write a note: buy milk and eggs", "write", {"path": "notes/buy-milk-and-eggs.md", "content": "buy milk and eggs\n"}),
    ("write a note that Anna called", "write", {"path": "notes/anna-called.md", "content": "Anna called\n"}),
    ("write a note buy milk", "write", {"path": "notes/buy-milk.md", "content": "buy milk\n"}),
    ("Please write a note saying hello", "write", {"path": "notes/hello.md", "content": "hello\n"}),
    ("note: buy milk; call Anna.", "write", {"path": "notes/buy-milk-call-anna.md", "content": "buy milk; call Anna.\n"}),
    ("Note that the door is green", "write", {"path": "notes/the-door-is-green.md", "content": "the door is green\n"}),
    ("take a note: 5 pm meeting", "write", {"path": "notes/5-pm-meeting.md", "content": "5 pm meeting\n"}),
    ("create a file todo.txt with call Anna", "write", {"path": "todo.txt", "content": "call Anna\n"}),
    ("create a file called todo.txt with the text 'a; b'", "write", {"path": "todo.txt", "content": "a; b\n"}),
    ("make a new file named a/b.txt containing x = 1", "write", {"path": "a/b.txt", "content": "x = 1\n"}),
    ("create a file hello.py with:\n```python\nprint('hi')\n```", "write", {"path": "hello.py", "content": "print('hi')\n"}),
    ("write hello world to greeting.txt", "write", {"path": "greeting.txt", "content": "hello world\n"}),
    ("save 'one two' in out.txt.", "write", {"path": "out.txt", "content": "one two\n"}),
    ("create an empty file x.txt", "write", {"path": "x.txt", "content": ""}),
    ('replace "old" with "new" in todo.txt', "edit", {"path": "todo.txt", "old": "old", "new": "new"}),
    ("change red to blue in `colors.txt`", "edit", {"path": "colors.txt", "old": "red", "new": "blue"}),
    ("run uname -a", "exec", {"command": "uname -a"}),
    ("execute ls -la | wc -l", "exec", {"command": "ls -la | wc -l"}),
    ("$ echo hi; echo there", "exec", {"command": "echo hi; echo there"}),
    ("please run the command `echo a and then b`.", "exec", {"command": "echo a and then b"}),
    ("Could you run echo hello please", "exec", {"command": "echo hello"}),
    ("run: echo 'What?'", "exec", {"command": "echo 'What?'"}),
    ("run the command:\n```sh\nls\npwd\n```", "exec", {"command": "ls\npwd"}),
    ("remember that the key is under the mat", "remember", {"fact": "the key is under the mat"}),
    ("Please remember: my birthday is 5 May.", "remember", {"fact": "my birthday is 5 May."}),
    ("remember I like tea", "remember", {"fact": "I like tea"}),
    ("don't forget that rent is due", "remember", {"fact": "rent is due"}),
    ("what do you know about the key?", "recall", {"query": "the key"}),
    ("What do you remember about my birthday", "recall", {"query": "my birthday"}),
    ("recall birthday", "recall", {"query": "birthday"}),
    ("do you remember my birthday?", "recall", {"query": "my birthday"}),
    ("what time is it?", "session_status", {}),
    ("what's the date today?", "session_status", {}),
    ("status", "session_status", {}),
    ("show me the status please", "session_status", {}),
]  # fmt: skip

ANSWERS = [
    ("help", "connect a language model"),
    ("What can you do?", "`list the files`"),
    ("?", "`list the files`"),
    ("hello", "Hello!"),
    ("Hi there!", "Hello!"),
    ("hello!", "Hello!"),
    ("ping", "Hello!"),
    ("good morning", "Hello!"),
    ("thanks", "You are welcome."),
    ("thank you very much!", "You are welcome."),
    ("who are you?", "no language model"),
    ("are you an AI?", "no language model"),
    ("how do I connect a model?", "OPENAI_API_KEY"),
    ("which model are you using?", "OPENAI_API_KEY"),
    ("what do you remember?", "Tell me what to look for"),
    ("bye", "Goodbye"),
    ("Explain quantum chromodynamics in a haiku", "I do not understand that."),
    ("remember what I said", "I do not understand that."),
    ("", "I do not understand that."),
]


async def ask(text: str, tools: tuple[ToolSpec, ...] = TOOLS) -> Completed:
    request = ModelRequest("basic", "", (UserMessage((Text(text),)),), tools)
    events = [event async for event in BasicModel(SystemClock()).stream(request)]
    assert isinstance(events[-1], Completed)
    return events[-1]


def called(calls: tuple[ToolCall, ...]) -> list[tuple[str, object]]:
    return [(call.name, json.loads(call.arguments)) for call in calls]


@pytest.mark.parametrize(("text", "tool", "arguments"), CALLS)
async def test_a_plain_request_becomes_the_tool_call_it_means(text: str, tool: str, arguments: dict[str, str]) -> None:
    done = await ask(text)
    assert called(done.message.tool_calls) == [(tool, arguments)]
    assert done.stop_reason == "tool_calls"


@pytest.mark.parametrize(("text", "expected"), ANSWERS)
async def test_talk_is_answered_with_text_and_says_what_is_answering(text: str, expected: str) -> None:
    done = await ask(text)
    assert expected in done.message.text
    assert "language model" in done.message.text
    assert not done.message.tool_calls
    assert done.stop_reason == "stop"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("list the files and then read todo.txt", ["list", "read"]),
        ("list the files and show README.md", ["list", "read"]),
        ("show a.txt and b.txt", ["read", "read"]),
        ("status; list files\nread a.txt", ["session_status", "list", "read"]),
    ],
)
async def test_several_requests_in_one_message_become_several_calls(text: str, names: list[str]) -> None:
    assert [call.name for call in (await ask(text)).message.tool_calls] == names


HOSTILE = [
    "." * 300 + "a",
    "hi there " * 40 + "x",
    "please " * 5000,
    " " * 8000 + "x",
    "! , " * 2000 + "a",
    "replace with in " * 60,
    'write to "' * 700,
    "now please " * 4000 + "x",
    "what is the current " * 400,
    "list all of the my " * 400 + "x",
    "```\n" * 3000,
    "create a file " + "x" * 90_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_hostile_text_is_answered_without_endless_matching(text: str) -> None:
    started = time.process_time()
    await ask(text)
    assert time.process_time() - started < 2.0


async def test_a_long_note_is_kept_whole() -> None:
    text = "word " * 5000 + "end"
    (call,) = (await ask(f"note: {text}")).message.tool_calls
    assert json.loads(call.arguments)["content"] == text + "\n"


async def test_call_ids_are_unique() -> None:
    calls = (await ask("show a.txt and b.txt")).message.tool_calls
    assert len({call.id for call in calls}) == 2


async def test_a_missing_tool_is_named_instead_of_called() -> None:
    done = await ask("run ls", tools=())
    assert "`exec`, which is not available" in done.message.text
    assert not done.message.tool_calls
