/** Changing and taking back one's own messages. The row says what is on its way and what failed; nothing gets lost. */
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

  /** Asks, and deletes. Returns whether it is gone. */
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

  /** What the log will say in a moment; said twice, it changes nothing. */
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
