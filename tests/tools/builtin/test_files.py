from __future__ import annotations

import pytest

from homarus.errors import UserError
from homarus.tools.builtin.edit import EditArgs, EditTool
from homarus.tools.builtin.list import ListArgs, ListTool
from homarus.tools.builtin.read import MAX_IMAGE, WINDOW, ReadArgs, ReadTool
from homarus.tools.builtin.write import WriteArgs, WriteTool
from homarus.tools.contract import ToolContext

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


async def read(context: ToolContext, path: str, **window: int) -> str:
    return (await ReadTool().run(context, ReadArgs.model_validate({"path": path, **window}))).text


async def edit(context: ToolContext, path: str, old: str, new: str, **more: bool) -> str:
    return (await EditTool().run(context, EditArgs.model_validate({"path": path, "old": old, "new": new, **more}))).text


async def test_a_short_text_is_read_as_it_is(context: ToolContext) -> None:
    (context.workspace / "a.txt").write_text("one\ntwo")
    assert await read(context, "a.txt") == "one\ntwo"
    assert await read(context, "/work/a.txt") == "one\ntwo"


async def test_a_long_text_is_paged_without_losing_or_repeating_a_line(context: ToolContext) -> None:
    lines = [f"line {number} {'x' * (number % 90)}\n" for number in range(1, 3_001)]
    (context.workspace / "long.txt").write_text("".join(lines))
    collected, offset = "", 1
    while True:
        text = await read(context, "long.txt", offset=offset)
        assert len(text) <= WINDOW + 100
        body, mark, note = text.partition("\n[lines ")
        collected += body
        if not mark:
            break
        offset = int(note.rpartition("offset=")[2].split(" ")[0])
    assert collected == "".join(lines)
    assert offset > 1


async def test_a_window_of_lines_says_how_to_go_on(context: ToolContext) -> None:
    (context.workspace / "a.txt").write_text("1\n2\n3\n4\n5\n")
    assert await read(context, "a.txt", offset=2, limit=2) == "2\n3\n\n[2 more lines; offset=4 goes on]"
    assert await read(context, "a.txt", offset=4, limit=9) == "4\n5\n"
    with pytest.raises(UserError, match="has 5 lines; offset 9"):
        await read(context, "a.txt", offset=9)


async def test_a_single_endless_line_is_cut(context: ToolContext) -> None:
    (context.workspace / "a.txt").write_text("x" * 200_000)
    text = await read(context, "a.txt")
    assert len(text) < WINDOW + 200
    assert "line cut" in text


async def test_an_empty_file_is_empty(context: ToolContext) -> None:
    (context.workspace / "a.txt").touch()
    assert await read(context, "a.txt") == ""


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 9, "image/jpeg"),
        (b"GIF89a" + b"\0" * 9, "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
    ],
)
async def test_an_image_is_shown_by_its_content_and_not_its_name(
    context: ToolContext, content: bytes, mime: str
) -> None:
    (context.workspace / "picture.txt").write_bytes(content)
    output = await ReadTool().run(context, ReadArgs(path="picture.txt"))
    assert [(image.mime, image.data) for image in output.images] == [(mime, content)]


async def test_an_image_that_is_too_large_and_a_binary_file_are_refused(context: ToolContext) -> None:
    (context.workspace / "a.png").write_bytes(PNG + b"\0" * MAX_IMAGE)
    with pytest.raises(UserError, match="at most"):
        await read(context, "a.png")
    (context.workspace / "a.bin").write_bytes(b"\x7fELF\0\0")
    with pytest.raises(UserError, match="binary file of 6 bytes"):
        await read(context, "a.bin")


async def test_text_in_another_encoding_is_still_shown(context: ToolContext) -> None:
    (context.workspace / "a.txt").write_bytes("Grüße".encode("latin-1"))
    assert await read(context, "a.txt") == "Gr\ufffd\ufffde"


async def test_writing_creates_then_replaces_and_does_not_taint(context: ToolContext) -> None:
    args = WriteArgs(path="notes/today.md", content="héllo")
    output = await WriteTool().run(context, args)
    assert (output.text, output.label) == ("created notes/today.md (6 bytes)", context.label)
    assert (await WriteTool().run(context, args)).text == "replaced notes/today.md (6 bytes)"
    assert (context.workspace / "notes/today.md").read_text() == "héllo"


async def test_an_edit_replaces_the_one_match(context: ToolContext) -> None:
    (context.workspace / "a.py").write_text("a = 1\nb = 2\n")
    assert await edit(context, "a.py", "b = 2", "b = 3") == "edited a.py at line 2"
    assert (context.workspace / "a.py").read_text() == "a = 1\nb = 3\n"


async def test_several_matches_are_listed_unless_all_are_meant(context: ToolContext) -> None:
    (context.workspace / "a.py").write_text("x\ny\nx\n")
    with pytest.raises(UserError, match=r"occurs 2 times in `a\.py`, at lines 1, 3"):
        await edit(context, "a.py", "x", "z")
    assert await edit(context, "a.py", "x", "z", all=True) == "edited a.py at 2 places"
    assert (context.workspace / "a.py").read_text() == "z\ny\nz\n"


async def test_a_text_that_differs_in_white_space_is_pointed_out(context: ToolContext) -> None:
    (context.workspace / "a.py").write_text("def f():\n\treturn  1\n")
    with pytest.raises(UserError, match="Line 2 differs from it only in white space"):
        await edit(context, "a.py", "    return 1", "    return 2")
    with pytest.raises(UserError, match="Read the file again"):
        await edit(context, "a.py", "nowhere", "x")


async def test_an_edit_keeps_the_line_ends_of_the_file(context: ToolContext) -> None:
    (context.workspace / "a.txt").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    await edit(context, "a.txt", "one\ntwo", "1\n2")
    assert (context.workspace / "a.txt").read_bytes() == b"1\r\n2\r\nthree\r\n"


async def test_an_edit_that_changes_nothing_or_is_no_text_is_refused(context: ToolContext) -> None:
    (context.workspace / "a.bin").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="the same"):
        await edit(context, "a.bin", "x", "x")
    with pytest.raises(UserError, match="not UTF-8"):
        await edit(context, "a.bin", "x", "y")


@pytest.mark.parametrize("names", [("file_path", "oldText", "newText"), ("path", "old_string", "new_string")])
def test_the_argument_names_of_other_systems_are_understood(names: tuple[str, str, str]) -> None:
    args = EditArgs.model_validate(dict(zip(names, ("a", "b", "c"), strict=True)))
    assert (args.path, args.old, args.new) == ("a", "b", "c")


async def test_a_folder_is_listed_by_name_with_sizes_and_kinds(context: ToolContext) -> None:
    (context.workspace / "b").mkdir()
    (context.workspace / "A.txt").write_text("x" * 2_048)
    (context.workspace / "c").symlink_to("/etc")
    (context.workspace / "new\nline").touch()
    text = (await ListTool().run(context, ListArgs())).text
    assert text.splitlines() == ["A.txt  2.0 KB", "b/", "c -> /etc", "'new\\nline'  0 B"]


async def test_an_empty_folder_says_so_and_a_large_one_is_cut(context: ToolContext) -> None:
    assert (await ListTool().run(context, ListArgs())).text == "empty"
    for number in range(510):
        (context.workspace / f"{number:04}").touch()
    lines = (await ListTool().run(context, ListArgs())).text.splitlines()
    assert len(lines) == 501
    assert (lines[0], lines[-1]) == ("0000  0 B", "[10 more entries]")


async def test_listing_a_file_points_to_read(context: ToolContext) -> None:
    (context.workspace / "a.txt").touch()
    with pytest.raises(UserError, match="use read"):
        await ListTool().run(context, ListArgs(path="a.txt"))
