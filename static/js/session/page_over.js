/** Shows that the page is not its user's any more: a sentence and a link. Removes everything that anybody wrote. */
import { fromTemplate } from "../support/dom.js";
import { texts } from "../support/texts.js";

const REMOVED = ".sidebar, .talk__head, .log__start, .log__end, #elsewhere, #typing, #newest, #search-scope, .me";
const EMPTIED = ["rooms", "people-list", "search-results", "switcher-rooms", "notices", "names"];
const NAMES_ROOM = ["aria-label", "placeholder", "data-room-name", "data-user-name"];

/** `state`: see session/page_session.js. `container`: the element with the messages or the rooms. */
export function showPageOver(state, container) {
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  document.querySelectorAll(REMOVED).forEach((element) => element.remove());
  EMPTIED.forEach((id) => document.getElementById(id)?.replaceChildren());
  document.querySelectorAll("dialog q").forEach((quote) => (quote.textContent = ""));
  document.querySelectorAll("dialog input").forEach((field) => (field.value = ""));
  document.querySelectorAll("#room, #log, [role=log], #content, .lobby").forEach((element) => {
    NAMES_ROOM.forEach((name) => element.removeAttribute(name));
  });
  document.title = texts.product;
  container.querySelector(".over")?.remove();
  container.prepend(card(state));
}

function card(state) {
  const made = fromTemplate("page-over-template");
  const isElses = state === "somebody-else";
  made.id = "page-over";
  made.querySelector("p").textContent = texts.pageOver[state];
  made.querySelector("a").href = isElses ? "/chat" : `/sign-in?next=${encodeURIComponent(location.pathname)}`;
  made.querySelector("a").textContent = isElses ? texts.goOn : texts.signIn;
  return made;
}
