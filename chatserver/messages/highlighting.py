"""Highlighting: keywords, strings and comments of code get a class each. static/css/base/code.css has their colours."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from time import thread_time

from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Literal, Name, Operator, Token, _TokenType

# Each is loaded when it is first needed. Languages are left out that may take long over a single word.
LANGUAGES = (
    "bash", "c", "console", "cpp", "csharp", "css", "diff", "docker", "go", "html", "http", "ini", "java", "javascript",
    "json", "kotlin", "lua", "make", "markdown", "nginx", "php", "pycon", "python", "ruby", "rust", "sql", "swift",
    "toml", "typescript", "xml", "yaml",
)  # fmt: skip

COLOURED: dict[_TokenType, str] = {
    Token: "",
    Comment.Preproc: "k",
    Generic.Heading: "k",
    Generic.Prompt: "k",
    Name.Tag: "k",
    Operator.Word: "k",
    Keyword: "k",
    Literal.Number: "m",
    Literal.String: "s",
    Generic.Output: "c",
    Comment: "c",
    Name.Constant: "nb",
    Name.Attribute: "nb",
    Name.Builtin: "nb",
    Generic.Subheading: "nf",
    Name.Class: "nf",
    Name.Decorator: "nf",
    Name.Function: "nf",
    Generic.Deleted: "gd",
    Generic.Inserted: "gi",
}
"""Kinds of tokens, and the class of each: a few of Pygments' own, which have the colour of their last kind. A kind that
is not here is like its parent; the rest has the colour of text, and costs no span."""

CLASSES = frozenset(COLOURED.values()) - {""}

MAX_SECONDS = 0.01
"""Processor time of this thread for the colours of one piece of code: a pattern that looks for a missing end may do so
at each character. Human code of 2,000 characters takes one to three milliseconds."""

_NAME = re.compile(r"[\w+#.-]{1,20}")
# Code never has these, and some rules of lexers take their time with them.
_LONG_RUN = re.compile(r"(.)\1{100}|\s{100}", re.DOTALL)


class Highlighting:
    def __init__(self, clock: Callable[[], float] = thread_time) -> None:
        self._clock = clock
        self._languages = {
            alias: next(language for language in aliases if language in LANGUAGES)
            for _, aliases, _, _ in get_all_lexers(plugins=False)
            if set(aliases) & set(LANGUAGES)
            for alias in aliases
        }
        self._lexers: dict[str, Lexer] = {}
        self._classes = dict(COLOURED)

    def language(self, info: str) -> str | None:
        """Returns the language that the first word behind a fence names, if it is one of LANGUAGES."""
        name = _NAME.match(info.strip())
        return self._languages.get(name[0].lower()) if name else None

    def html(self, code: str, language: str) -> str:
        """Returns the code as HTML, in spans with one of CLASSES each; without spans if they would take too long, or
        lose some of the code."""
        spans = None if _LONG_RUN.search(code) else self._spans(code, language)
        return escape(code, quote=False) if spans is None else "".join(spans)

    def _spans(self, code: str, language: str) -> list[str] | None:
        lexer = self._lexer(language)
        spans: list[str] = []
        waiting, css_class = "", ""
        end = self._clock() + MAX_SECONDS
        length = 0
        for kind, text in lexer.get_tokens(code):
            length += len(text)
            if self._clock() > end:
                return None
            if text.isspace():
                waiting += text
                continue
            following = self._class(kind)
            if following != css_class:
                spans.append(_span(waiting, css_class))
                waiting, css_class = "", following
            waiting += text
        return [*spans, _span(waiting, css_class)] if length == len(code) else None

    def _lexer(self, language: str) -> Lexer:
        if language not in self._lexers:
            self._lexers[language] = get_lexer_by_name(language, stripnl=False, ensurenl=False)
        return self._lexers[language]

    def _class(self, kind: _TokenType) -> str:
        if kind not in self._classes:
            assert kind.parent is not None
            self._classes[kind] = self._class(kind.parent)
        return self._classes[kind]


def _span(text: str, css_class: str) -> str:
    html = escape(text, quote=False)
    return f'<span class="{css_class}">{html}</span>' if css_class and html else html
