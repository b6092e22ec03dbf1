/**
 * The only place where markup becomes elements: the `html` of a message, which the server made from its text and
 * sanitised. Everything else that is shown goes through `textContent`.
 */
const policy = globalThis.trustedTypes?.createPolicy("message-html", { createHTML: (html) => html });

export function showHtml(element, html) {
  element.innerHTML = policy ? policy.createHTML(html) : html;
}

/** Returns what an element shows of a message, as the server wrote it. */
export function shownHtml(element) {
  return element.innerHTML;
}
