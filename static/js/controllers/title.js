/** The page's title, with how much is unread in all rooms. */
import { texts } from "../texts.js";

export class Title {
  #title = document.title;

  show(unread) {
    const title = unread > 0 ? texts.titleWithCount(unread, this.#title) : this.#title;
    if (document.title !== title) {
      document.title = title;
    }
  }
}
