/** Reads the rooms from the page: from the sidebar of a room, or the lobby. The page always has the latest state. */
import { number } from "../support/texts.js";

/** `[{ id, name, href, unread, mentions, isCurrent, link }]`, in the order of the list; none without a list. */
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

/** Shows the unread counts on an item of the list, or on an option of the switcher. */
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
