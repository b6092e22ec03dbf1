/**
 * What became of messages lately, as the stream told it: a page of history may have been read before that, or may bring
 * a message that was not on the page then. Told twice, a change changes nothing.
 */
import { changed } from "./message_changes.js";

const REMEMBERED = 500; // changes

export class SeenChanges {
  #changes = [];

  add(kind, event) {
    this.#changes.push([kind, event]);
    if (this.#changes.length > REMEMBERED) {
      this.#changes.shift();
    }
  }

  /** The message as it is after all that. */
  applied(message) {
    return this.#changes
      .filter(([, event]) => event.message_id === message.id)
      .reduce((soFar, [kind, event]) => changed(soFar, kind, event), message);
  }

  clear() {
    this.#changes = [];
  }
}
