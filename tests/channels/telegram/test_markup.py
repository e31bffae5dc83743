from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.channels.policy_config import TableMode
from homarus.channels.telegram.markup import render
from homarus.testing.telegram.html_text import read_html, units


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("plain", "plain"),
        ("a **b** *c* ~~d~~ `e`", "a <b>b</b> <i>c</i> <s>d</s> <code>e</code>"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("# High *water*", "<b>High </b><i><b>water</b></i>"),
        ("- one\n2. two", "• one\n2. two"),
        ("> a\n> b\n\nc", "<blockquote>a\nb</blockquote>\n\nc"),
        ("```py\nif a < b:\n  x\n```", '<pre><code class="language-py">if a &lt; b:\n  x</code></pre>'),
        ("```\nx\n```", "<pre>x</pre>"),
        ('```x" onclick="y\nz\n```', '<pre><code class="language-x">z</code></pre>'),
        ('[tide](https://x.example/?a=1&b="2)', '<a href="https://x.example/?a=1&amp;b=&quot;2">tide</a>'),
        ("[x](javascript:alert)", "x (javascript:alert)"),
        ("<https://x.example>", "https://x.example"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ("**`code`**", "<code>code</code>"),
    ],
)
def test_markdown_becomes_html(markdown: str, html: str) -> None:
    assert render(markdown).html == html


def test_a_table_is_aligned_as_code() -> None:
    table = "| port | tide |\n|---|---|\n| Porto | 6 |"
    assert render(table).html == "<pre>port  | tide\nPorto | 6</pre>"
    assert render(table, TableMode.BULLETS).html == "• port - tide\n• Porto - 6"
    assert "<pre>" not in render(table, TableMode.OFF).html


def test_control_characters_are_dropped() -> None:
    assert render("a\0b\x01\r\nc").html == "ab\nc"


@given(st.text(alphabet="ab*_`~>#-|[]()\\<&\n \U0001f41f", max_size=80))
def test_whatever_comes_the_html_can_be_read_and_shows_the_visible_text(markdown: str) -> None:
    rendered = render(markdown)
    text, _ = read_html(rendered.html)
    assert text == rendered.visible
    assert rendered.size == units(text)


@given(st.text(max_size=60))
def test_any_text_gives_readable_html(markdown: str) -> None:
    read_html(render(markdown).html)
