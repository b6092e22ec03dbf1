/** The rooms as the page lists them: the sidebar of a room, or the lobby. What is on the page is always the latest known. */
import { number } from "../support/texts.js";

/** `[{ id, name, href, unread, mentions, isCurrent, link }]`, in the order of the list. Without a list: none. */
export function listedRooms(list) {
  return Array.from(list?.children ?? [], (item) => {
    const link = item.querySelector("a");
    return {
      id: Number(item.dataset.roomId),
      name: link.querySelector(".sidebar__room-name, .rooms__name").textContent,
      href: link.href,
      unread: Number(item.dataset.unread),
      mentions: Number(item.dataset.mentions),
      isCurrent: link.ariaCurrent === "page" || link.getAttribute("aria-current") === "page",
      link,
    };
  });
}

/** Shows on an item of the list, or an option like it, how much is unread. */
export function showCounts(item, { unread, mentions }) {
  item.dataset.unread = unread;
  item.dataset.mentions = mentions;
  const count = item.querySelector(".sidebar__count");
  count.hidden = unread === 0;
  const words = mentions > 0 ? `@${number(mentions)}` : number(unread);
  if (count.textContent !== words) {
    count.textContent = words;
  }
}
