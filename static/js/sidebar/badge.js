/** Shows how much is unread while another tab is in front: in the title, the icon, and on the installed app. */
import { number, texts } from "../support/texts.js";

export class Badge {
  #title = document.title;
  #icon;
  #plain;

  /** `icon`: the `<link rel="icon">`, whose dataset has the addresses of those with a dot. */
  constructor({ icon }) {
    this.#icon = icon;
    this.#plain = icon.getAttribute("href");
  }

  /** Shows the totals of all rooms. */
  show({ unread, mentions }) {
    document.title = unread > 0 ? texts.titleWithCounts(number(unread), mentions && number(mentions), this.#title) : this.#title;
    const { unread: unreadIcon, mentions: mentionsIcon } = this.#icon.dataset;
    const address = mentions > 0 ? mentionsIcon : unread > 0 ? unreadIcon : this.#plain;
    if (this.#icon.getAttribute("href") !== address) {
      this.#icon.setAttribute("href", address);
    }
    const told = unread > 0 ? navigator.setAppBadge?.(mentions || unread) : navigator.clearAppBadge?.();
    told?.catch(() => {}); // only an installed app has a badge
  }
}
