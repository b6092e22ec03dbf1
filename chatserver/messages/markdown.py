"""The markup of messages: CommonMark without the parts that a chat has no use for.

Left out are raw HTML, images (one becomes a link), references (they would swallow a line that looks like one) and
headings made by underlines. Added are ~~strikethrough~~, links without brackets and mentions; a line break is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from chatserver.messages.highlighting import Highlighting
from chatserver.messages.links import Linkifier, as_written, is_safe, say_where
from chatserver.messages.spellings import Spellings, mention_at

MAX_NESTING = 12
"""Quotes and lists inside each other. The parser leaves out deeper content, so such a text is not formatted at all."""

_LEFT_OUT = ["html_block", "html_inline", "image", "reference", "lheading"]
LINK_HOST = "at"
"""The class of the host that follows a link whose text looks like another address."""

_PLAIN = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak"}
_HEADINGS = {"h1": "h4", "h2": "h5"}
"""The page has headings of its own, and a message never stands above them."""


class Parsed(NamedTuple):
    tokens: Sequence[Token]
    env: dict[str, Any]

    @property
    def mentioned(self) -> tuple[int, ...]:
        """Ids of the mentioned users, each once, in the order of the text."""
        return tuple(dict.fromkeys(self.env["mentioned"]))

    def is_too_deep(self) -> bool:
        return any(token.level >= MAX_NESTING - 1 for token in self.tokens)

    def is_plain(self, content: str) -> bool:
        """Returns True if the content would look the same without formatting."""
        texts: list[str] = []
        for token in self.tokens:
            if token.type not in _PLAIN:
                return False
            for child in token.children or ():
                if child.type not in _PLAIN:
                    return False
                texts.append(child.content or "\n")
            texts.append("\n")
        return "".join(texts).split() == content.split()


class Markup:
    def __init__(self) -> None:
        self._markdown = MarkdownIt(
            "commonmark",
            {"html": False, "breaks": True, "linkify": True, "xhtmlOut": False, "maxNesting": MAX_NESTING},
            renderer_cls=_Renderer,
        )
        markdown = self._markdown
        markdown.enable(["linkify", "strikethrough"]).disable(_LEFT_OUT)
        markdown.inline.ruler.before("linkify", "mention", _mention)
        markdown.validateLink = is_safe  # type: ignore[method-assign]
        markdown.normalizeLinkText = as_written  # type: ignore[method-assign,assignment]
        markdown.core.ruler.push("say_where", say_where)
        markdown.linkify = Linkifier()

    def parse(self, content: str, spellings: Spellings) -> Parsed:
        """Parses a content. `spellings`: the users that it mentions."""
        env: dict[str, Any] = {"spellings": spellings, "mentioned": []}
        return Parsed(self._markdown.parse(content, env), env)

    def html(self, parsed: Parsed, highlighting: Highlighting | None) -> str:
        """Returns HTML that nothing has cleaned yet. Its only line ends are those of code."""
        return str(
            self._markdown.renderer.render(
                parsed.tokens, self._markdown.options, parsed.env | {"highlighting": highlighting}
            )
        )


class _Renderer(RendererHTML):
    def renderToken(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        if token.hidden:
            return ""
        tag = _HEADINGS.get(token.tag, "h6") if token.type.startswith("heading") else token.tag
        return f"</{tag}>" if token.nesting == -1 else f"<{tag}{self.renderAttrs(token)}>"

    def softbreak(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "<br>"

    def hardbreak(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "<br>"

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        highlighting: Highlighting | None = env["highlighting"]
        token = tokens[idx]
        language = highlighting.language(token.info) if highlighting else None
        if highlighting is None or language is None:
            return f"<pre><code>{escape(token.content)}</code></pre>"
        return f'<pre><code class="language-{language}">{highlighting.html(token.content, language)}</code></pre>'

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"<pre><code>{escape(tokens[idx].content)}</code></pre>"

    def link_host(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f' <span class="{LINK_HOST}">({escape(tokens[idx].content)})</span>'

    def mention(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        return mention_html(token.content, token.meta["user_id"])


def mention_html(text: str, user_id: int) -> str:
    return f'<span class="mention" data-user-id="{user_id}">{escape(text)}</span>'


def _mention(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "@":
        return False
    mention = mention_at(state.src, state.pos, state.env["spellings"])
    if mention is None or mention.end > state.posMax:
        return False
    if not silent:
        token = state.push("mention", "", 0)
        token.content = state.src[state.pos : mention.end]
        token.meta = {"user_id": mention.user_id}
        state.env["mentioned"].append(mention.user_id)
    state.pos = mention.end
    return True
