"""No pattern of the page's scripts takes long over what people write: in the browser that runs them."""

from __future__ import annotations

import re
from collections import Counter

import regex

from tests.helpers.browserless import Visitor
from tests.helpers.patterns_found import hard_words, of_javascript, texts_of
from tests.journeys.conftest import Enter

LIMIT_MS = 20

NEVER_SEES_WHAT_PEOPLE_WRITE = {
    "window/key_names.js": "the name of the browser's system",
    "composer/emoji_table.js": "our table",
}

LONGEST = {"talk/message_classes.js": 240}
"""Characters that may reach the patterns of a script, where those are not as many as a message has."""

MADE = """async names => {
    const made = [];
    const remember = (make) => (...all) => { made.push([String(all[1][0]), all[1][1] ?? ""]); return make(...all); };
    const Original = RegExp;
    globalThis.RegExp = new Proxy(Original, { construct: remember(Reflect.construct), apply: remember((f, t, a) => Reflect.apply(f, t, a)) });
    const room = document.querySelector("script[type=module]").src;
    for (const name of names) {
        await import(room.replace("room.js", name));
    }
    globalThis.RegExp = Original;
    return made;
}"""
"""What `RegExp(…)` of these scripts is given."""

RUN = """([source, flags, texts, limit]) => {
    const pattern = new RegExp(source, flags);
    const took = (text) => {
        const start = performance.now();
        pattern.lastIndex = 0;
        pattern.test(text);
        text.replace(pattern, "");
        text.split(pattern);
        return performance.now() - start;
    };
    for (const text of texts) {
        let shortest = took(text);
        for (let again = 0; again < 6 && shortest >= limit; again += 1) {
            shortest = Math.min(shortest, took(text));
        }
        if (shortest >= limit) {
            return `${Math.round(shortest)} ms for ${text.length} characters: ${escape(text.slice(0, 40))}`;
        }
    }
    return null;
}"""


async def test_no_pattern_of_the_page_takes_long_over_any_repetition(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    found = [each for each in of_javascript() if each.name not in NEVER_SEES_WHAT_PEOPLE_WRITE]
    made_in = Counter(each.name for each in found if each.pattern is None)
    made = await hers.page.evaluate(MADE, list(made_in))
    assert len(made) == made_in.total(), "each is made once, where its script begins"
    patterns = [(each.name, *each.pattern) for each in found if each.pattern is not None]
    patterns += [(name, *each) for name, each in zip(made_in.elements(), made, strict=True)]
    assert len(patterns) > 8
    slow = {}
    for name, source, flags in patterns:
        ignoring_case = regex.IGNORECASE if "i" in flags else 0
        source_here = re.sub(r"\\u\{([0-9a-f]+)\}", lambda code: chr(int(code[1], 16)), source)
        words = hard_words(source_here, lambda part, case=ignoring_case: regex.compile(part, case), longest=2)
        texts = [*texts_of(words, LONGEST.get(name, 2_000))]
        if told := await hers.page.evaluate(RUN, [source, flags, texts, LIMIT_MS]):
            slow[name, source] = told
    assert slow == {}


async def test_a_pattern_that_takes_long_is_noticed(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    texts = [*texts_of(["\u00a9\u200d"], 240)]
    ambiguous = "^(?:©(?:\u200d(?:©(?=\u200d)|©))*)+$"
    assert "characters" in await hers.page.evaluate(RUN, [ambiguous, "u", texts, LIMIT_MS])
