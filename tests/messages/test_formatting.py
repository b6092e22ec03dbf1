"""Content into HTML: what it looks like, that nothing dangerous is ever in it, and that it never takes long."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatserver.messages import formatting
from chatserver.messages.formatting import MAX_HTML, MAX_LINKS, PLAIN, Composed, Formatting, may_need_html
from chatserver.messages.highlighting import LANGUAGES, MAX_SECONDS, Highlighting
from chatserver.messages.mentions import candidates, spellings
from chatserver.model.display_names import name_key
from chatserver.model.users import User
from tests.helpers.html_allowed import Fragment

LINK = 'rel="noopener noreferrer nofollow"'
EVIL_NAME = "<img src=x onerror=a>"
USERS = {name_key(user.name): user for user in (User(3, "Ada"), User(4, EVIL_NAME), User(5, "a"))}


def formatted(formatter: Formatting, content: str, users: Mapping[str, User] = USERS) -> Composed:
    return formatter.format(content, spellings(candidates(content), users))


@pytest.fixture(scope="module")
def formatter() -> Formatting:
    return Formatting()


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ("**b** _i_ ~~s~~ `c`", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>"),
        ("one *line*\nanother", "<p>one <em>line</em><br>another</p>"),
        ("> a\n> b\n\nc", "<blockquote><p>a<br>b</p></blockquote><p>c</p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("# a\n## b\n### c", "<h4>a</h4><h5>b</h5><h6>c</h6>"),
        ("a\n\n---\nb", "<p>a</p><hr><p>b</p>"),
        ("[x](http://a.org/b?c=1&d=2)", f'<p><a href="http://a.org/b?c=1&amp;d=2" {LINK}>x</a></p>'),
        ("see https://a.org/b_c_d.", f'<p>see <a href="https://a.org/b_c_d" {LINK}>https://a.org/b_c_d</a>.</p>'),
        ("www.a.org/b", f'<p><a href="https://www.a.org/b" {LINK}>www.a.org/b</a></p>'),
        ("ada@example.org", f'<p><a href="mailto:ada@example.org" {LINK}>ada@example.org</a></p>'),
        ("![alt](https://a.org/b.png)", f'<p>!<a href="https://a.org/b.png" {LINK}>alt</a></p>'),
        ("```\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>"),
        ("```nonsense\nx\n```", "<pre><code>x\n</code></pre>"),
        (r"1\*2\*3", "<p>1*2*3</p>"),
        ("*x* <b>y</b>", "<p><em>x</em> &lt;b&gt;y&lt;/b&gt;</p>"),
        ("@Ada and @ada", '<p><span class="mention" data-user-id="3">@Ada</span> and <span class="mention" data-user-id="3">@ada</span></p>'),
    ],
)  # fmt: skip
def test_what_is_written_so_looks_so(formatter: Formatting, content: str, html: str) -> None:
    assert may_need_html(content)
    assert formatted(formatter, content).html == html


@pytest.mark.parametrize(
    "content",
    [
        "hello", "well-known: yes, no", "a\nb\n\nc", "main.py and so.on", "2 < 3 & 4 > 1", "at 10:30", "snake", "100% #1",
        "[brackets]", "a_b_c", "a *b", "javascript:alert(1)", "[x](javascript:alert(1))", "[x](/chat/1)", "[x](//a.org)",
        "[x](data:text/html,a)", "[x](vbscript:a)", "<script>alert(1)</script>", "AT&T", "a  b", ":)", "x = 1", "@nobody", "ftp://a.b",
    ],
)  # fmt: skip
def test_what_would_look_the_same_has_no_html(formatter: Formatting, content: str) -> None:
    assert formatted(formatter, content) == PLAIN


def test_most_messages_are_told_at_a_glance_to_need_none() -> None:
    assert not any(map(may_need_html, ["hello", "Good morning, how are you?", "well-known", "10 of us", "AT&T", "a\nb", "at 10:30", "漢字"]))  # fmt: skip


def test_code_in_a_language_that_is_known_has_colours(formatter: Formatting) -> None:
    html = formatted(formatter, '```PY title="x"\nfor x in "y": # z\n```', {}).html
    assert html == (
        '<pre><code class="language-python"><span class="k">for </span>x <span class="k">in </span>'
        '<span class="s">"y"</span>: <span class="c"># z\n</span></code></pre>'
    )


# Nothing dangerous

EVIL = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "</code></pre><script>alert(1)</script>",
    "<iframe src=javascript:alert(1)>", "<a href='javascript:alert(1)'>x</a>", "<style>*{}</style>", "<!--", "<![CDATA[", "<?php", "&lt;script&gt;",
    "&#60;script&#62;", "&#x3c;img src=x onerror=alert(1)&#x3e;", "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "java&#10;script:alert(1)", "&#106;avascript:alert(1)", "%6aavascript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=", "vbscript:x", "file:///etc/passwd", "//evil.example", "\\\\evil.example", "https:evil", "http:/\\evil", "blob:x", "\x01javascript:x",
    "http://a.org/\"onmouseover=alert(1)", "http://a.org/'><b>", "https://a.org/<script>", 'mailto:a@b.org"onclick="x', "http://a.org/`x`", "x\0y", "\u202egnp", "{{7*7}}", "{% raw %}",
    " onmouseover=alert(1) ", "x style=color:red", "id=content", "class=composer", "data-user-id=3",
]  # fmt: skip

PLACES = [
    "{}", "**{}**", "[{}](http://a.org)", "[x]({})", "[x](<{}>)", '[x](http://a.org "{}")', "![{}](http://a.org/x.png)", "![x]({})", "<{}>", "`{}`", "```{}\nx\n```",
    "```python\n{}\n```", "```html\n{}\n```", "```{0}\n{0}\n```", "    {}", "> {}", "- {}", "# {}", "@{}", "@Ada{}", "http://a.org/{}", "https://{}", "www.{}", "a@{}", "[a]: {}\n\n[a]", "~~{}~~", "| {0} |\n|---|\n| {0} |",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_nothing_that_is_written_becomes_more_than_text_and_links(formatter: Formatting, place: str) -> None:
    for evil in EVIL:
        html, mentions = formatted(formatter, place.format(evil))
        fragment = Fragment(html or "")
        assert tuple(dict.fromkeys(id for id, _ in fragment.mentions)) == mentions
        assert all("evil" not in link.split("/")[0] for link in fragment.links)


def test_a_name_that_looks_like_html_is_mentioned_as_text(formatter: Formatting) -> None:
    html, mentions = formatted(formatter, f"see @{EVIL_NAME} there")
    assert mentions == (4,)
    assert Fragment(html or "").mentions == [(4, "@" + EVIL_NAME)]


def test_whatever_gets_through_the_parser_does_not_get_through_the_allow_list(
    formatter: Formatting, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = '<p id="content" style="x" onclick="y" class="composer">a<script>b</script><img src="x" onerror="y"><a href="javascript:x" target="_blank">c</a><a href="/sign-out">d</a><span class="mention composer" id="x">e</span></p>'
    monkeypatch.setattr(formatter._markup, "html", lambda *_: made)
    assert (
        formatted(formatter, "*x*", {}).html == f'<p>a<a {LINK}>c</a><a {LINK}>d</a><span class="mention">e</span></p>'
    )


alphabet = st.sampled_from(
    ["*", "**", "_", "~~", "`", "```", "```python\n", "[", "](", ")", "](http://a.org)", "<", ">", "&", "&lt;", "\\", "\n", "\n\n", "    ", "- ", "1. ", "> ", "# ", "@", "@Ada", "http://", "https://a.org/", "www.", "mailto:", "a", "b c", "é", "漢", "👍🏽", "\"", "'", "<b", "javascript:", "\0", "\t", "\r", "|", "=", "---"]
)  # fmt: skip


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.lists(alphabet | st.text(max_size=5), max_size=40).map("".join))
def test_html_is_always_well_formed_and_allowed(formatter: Formatting, content: str) -> None:
    html, mentions = formatted(formatter, content.strip())
    assert html != ""
    if html is not None:
        assert len(html) <= MAX_HTML
        assert tuple(dict.fromkeys(id for id, _ in Fragment(html).mentions)) == mentions
    else:
        assert mentions == () or len(content) > MAX_HTML / 6


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(
    st.text(
        st.characters(exclude_characters="*_`~[]\\&:@#>+-=\t", exclude_categories=["Cs", "Cc"]) | st.just("\n"),
        max_size=200,
    )
)
def test_a_text_without_marks_is_plain_and_one_with_them_keeps_its_words(formatter: Formatting, text: str) -> None:
    text = text.strip()
    if "www." not in text and not any(line.lstrip()[:1].isdigit() or line[:1] in " \t" for line in text.split("\n")):
        assert formatted(formatter, text) == PLAIN
        html = formatted(formatter, f"{text}\n\n**bold**").html
        assert html is not None
        assert "".join(Fragment(html).text.split()) == "".join(f"{text}bold".split())


# Never long


@pytest.mark.parametrize(
    "content",
    [
        "> " * 1000, "- " * 1000, "> - " * 500, "\n".join(" " * (2 * depth) + "- x" for depth in range(40)), "www." * 500,
        "*a " * 660, "*" * 2000, "*_" * 1000, "**a *b " * 285, "[" * 2000, "[a](" * 500, "![" * 1000, "[](" * 660, "](" * 1000, "`" * 2000, "`a" * 1000, "".join("`" * n + "a" for n in range(1, 60)),
        "~" * 2000, "~~a" * 660, "<" * 2000, "<a " * 660, "&" * 2000, "\\" * 2000, "@" * 2000, "@a " * 660, "a@a." * 500, "http://a.b " * 180, "http://" * 285, "://" * 660, "mailto:a@b.cc " * 140, "*a*\n" * 500, "- a\n" * 500, "# a\n" * 500, "```\n" * 500,
    ],
)  # fmt: skip
def test_a_text_of_nothing_but_marks_stays_small_or_plain(formatter: Formatting, content: str) -> None:
    html, _ = formatted(formatter, content[:2000].strip())
    assert html is None or len(html) <= MAX_HTML
    Fragment(html or "")


def test_what_is_too_deep_is_not_formatted_and_still_mentions(formatter: Formatting) -> None:
    deep = "> - " * 30 + "*deep* @Ada <b>"
    html, mentions = formatted(formatter, deep)
    assert mentions == (3,)
    fragment = Fragment(html or "")
    assert fragment.text == deep
    assert fragment.mentions == [(3, "@Ada")]
    assert formatted(formatter, deep, {}) == PLAIN


def test_what_gets_too_long_is_not_formatted(formatter: Formatting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "MAX_HTML", 100)
    assert formatted(formatter, "*a* " * 20, {}) == PLAIN
    assert formatted(formatter, "```python\nfor x in y: for z in x: pass\n```", {}).html == (
        "<pre><code>for x in y: for z in x: pass\n</code></pre>"
    )


@pytest.mark.parametrize("begin", ["www.", "WwW.", "http:", "HTTPS://", "ftp:", "MailTo:", "//", "a@b "])
def test_what_has_too_many_places_for_links_is_not_formatted(formatter: Formatting, begin: str) -> None:
    """In whatever case: the parser does not ask for it either."""
    assert formatted(formatter, f"*a* {begin}" * (MAX_LINKS + 1)) == PLAIN


def test_a_page_full_of_links_is_formatted(formatter: Formatting) -> None:
    html, _ = formatted(formatter, "\n".join(f"https://www.example.org/{number}" for number in range(MAX_LINKS)))
    assert len(Fragment(html or "").links) == MAX_LINKS


def test_of_what_is_too_much_to_be_formatted_the_mentions_stay(formatter: Formatting) -> None:
    assert formatted(formatter, "@Ada " * 390) == (None, (3,))
    assert formatted(formatter, "&" * 1_990 + " @Ada") == (None, (3,))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_keeps_all_of_the_code(language: str) -> None:
    code = 'a = \'b\' # c\n$ x\n>>> y\n<z a="b">&amp;</z>\n\n{ "k": 1 } // d\n'
    html = Highlighting().html(code, language)
    assert Fragment(f"<pre>{html}</pre>").text == code


def test_colours_that_take_too_long_are_left_out() -> None:
    ticks = iter(range(1000))
    slow = Highlighting(clock=lambda: next(ticks) * MAX_SECONDS)
    assert slow.html("for x in y: pass\n", "python") == "for x in y: pass\n"
    assert next(ticks) < 10


@pytest.mark.parametrize("run", ["\n" * 500, " " * 500, "/" * 500, "=" * 500])
def test_code_of_long_runs_has_no_colours(run: str) -> None:
    assert Highlighting().html(f"int x;{run}", "c") == f"int x;{run}"
