/**
 * The latest changes of messages that the stream brought. A page of history may have been read before them, or bring a
 * message that was not on the page then. Applying a change twice is harmless.
 */
import { changed } from "./message_changes.js";

const CHANGES_KEPT = 500; // changes

export class SeenChanges {
  #changes = [];

  add(kind, event) {
    this.#changes.push([kind, event]);
    if (this.#changes.length > CHANGES_KEPT) {
      this.#changes.shift();
    }
  }

  /** Returns the message with these changes applied. */
  applied(message) {
    return this.#changes
      .filter(([, event]) => event.message_id === message.id)
      .reduce((soFar, [kind, event]) => changed(soFar, kind, event), message);
  }

  clear() {
    this.#changes = [];
  }
}
