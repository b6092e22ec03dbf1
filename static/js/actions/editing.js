/** Edits and deletes the reader's own messages. The row shows what is on its way and what failed; no text gets lost. */
import { reason } from "../support/api.js";
import { texts } from "../support/texts.js";
import { changed } from "../talk/message_changes.js";

export class Editing {
  #api;
  #room;
  #messages;
  #confirm;

  constructor({ api, room, messages, confirm }) {
    this.#api = api;
    this.#room = room;
    this.#messages = messages;
    this.#confirm = confirm;
  }

  /** Returns whether the server has it. */
  async save({ id, content: before }, content) {
    if (content === before) {
      this.#say(id, null);
      return true;
    }
    this.#say(id, texts.saving);
    try {
      const message = await this.#api.edit(this.#room.id, id, content);
      this.#show(id, "edited", message);
      return true;
    } catch (error) {
      this.#say(id, texts.notSaved(reason(error)), true);
      return false;
    }
  }

  /** Deletes a message after asking. Returns whether it was deleted. */
  async remove({ id, content }) {
    if (!(await this.#confirm.ask(content))) {
      return false;
    }
    this.#say(id, texts.deleting);
    try {
      await this.#api.remove(this.#room.id, id);
      this.#show(id, "deleted");
      return true;
    } catch (error) {
      this.#say(id, texts.notDeleted(reason(error)), true);
      return false;
    }
  }

  /** Shows the change before the log brings it; applying it twice is harmless. */
  #show(id, kind, event) {
    const row = this.#messages.find(id);
    if (row) {
      this.#messages.scroll.keep(() => {
        row.say(null);
        row.fill(changed(row.message, kind, event));
      });
    }
  }

  #say(id, words, isFailure) {
    const row = this.#messages.find(id);
    if (row) {
      this.#messages.scroll.keep(() => row.say(words, isFailure));
    }
  }
}
