/**
 * Connects all that can be done with messages on the page: the actions beside a message, clicks on it, and the events
 * about it.
 */
import { EmojiPicker } from "../composer/emoji_picker.js";
import { NameCompletion } from "../composer/name_completion.js";
import { RecentEmoji } from "../composer/recent_emoji.js";
import { KnownNames } from "../people/known_names.js";
import { TypingLine } from "../people/typing_line.js";
import { Typists } from "../people/typists.js";
import { texts } from "../support/texts.js";
import { copy } from "../window/clipboard.js";
import { Confirm } from "../window/confirm.js";
import { Toast } from "../window/toast.js";
import { Actions } from "./actions.js";
import { Editing } from "./editing.js";
import { Jump } from "./jump.js";
import { Reacting } from "./reacting.js";
import { ReactionNames } from "./reaction_names.js";
import { RowKeys } from "./row_keys.js";

const PRESENCE_MAX_AGE = 60_000; // ms; the list of people here is not read again within it

export class MessageTools {
  #room;
  #user;
  #api;
  #messages;
  #composer;
  #people = new KnownNames();
  #jump;
  #picker;
  #editing;
  #reacting;
  #actions;
  #completion;
  #typists;
  #toast;
  #askedAt = -Infinity;

  /**
   * `element`: finds an element of the page by its id. `composer()`: a function, since the composer needs us too.
   * `elsewhere(id)`: goes to a message that is not on the page.
   */
  constructor({ element, room, user, api, messages, composer, elsewhere }) {
    this.#room = room;
    this.#user = user;
    this.#api = api;
    this.#messages = messages;
    this.#composer = composer;
    const list = element("messages");
    const scroller = element("log");
    const recent = new RecentEmoji(user.id);
    const chosen = (name, row, anchor) => this.#chosen(name, row, anchor);
    this.#toast = new Toast(element("toast"));
    this.#jump = new Jump({ messages, elsewhere });
    this.#picker = new EmojiPicker({ dialog: element("picker"), recent });
    this.#editing = new Editing({ api, room, messages, confirm: new Confirm(element("delete-dialog")) });
    this.#reacting = new Reacting({ api, room, user, messages });
    this.#actions = new Actions({
      list,
      area: element("actions").parentElement,
      toolbar: element("actions"),
      menu: element("message-menu"),
      messages,
      user,
      recent,
      on: { chosen, quick: (emoji, row) => this.#react(row, emoji) },
    });
    new RowKeys({
      scroller,
      list,
      messages,
      on: {
        chosen,
        actions: (row) => this.#actions.enter(row),
        menu: (row) => this.#actions.openMenu(row, row.element.getBoundingClientRect()),
        leave: () => composer().focus(),
      },
    });
    this.#completion = new NameCompletion({
      field: element("content"),
      list: element("names"),
      people: () => this.#known.all.filter((each) => each.id !== user.id),
      onAsked: () => this.#askWhoIsHere(),
    });
    new ReactionNames({ list, user, people: () => this.#known });
    const line = new TypingLine(element("typing"));
    this.#typists = new Typists((names) => line.show(names));
    list.addEventListener("click", (event) => this.#clicked(event, scroller));
    element("emoji").addEventListener("click", (event) => this.#insertEmoji(event.currentTarget));
  }

  /** Takes an event of the stream, after the list of messages did. */
  receive(kind, event) {
    if (kind === "message") {
      this.#typists.stopped(event.user_id); // it is there
    } else if (kind === "reaction") {
      this.#people.learn(event.user_id, event.user_name);
      this.#reacting.received(event);
    } else if (kind === "presence") {
      this.#people.learn(event.user_id, event.user_name);
    } else if (kind === "typing") {
      this.#typing(event);
    }
  }

  /** Starts editing the reader's last message. */
  editLast() {
    const row = this.#messages.rows.findLast((each) => this.#actions.allows("edit", each));
    if (row) {
      row.element.scrollIntoView({ block: "nearest" });
      this.#composer().edit(row.message);
    }
  }

  /** Saves an edited message; an empty text deletes it. Returns, async, whether that worked. */
  save(message, content) {
    return content ? this.#editing.save(message, content) : this.#editing.remove(message);
  }

  jumpTo(id) {
    this.#jump.to(id);
  }

  async #chosen(name, row, anchor) {
    const { message } = row;
    if (!this.#actions.allows(name, row)) {
      return;
    }
    switch (name) {
      case "react":
        this.#react(row, await this.#picker.pick(anchor ?? row.element.getBoundingClientRect()));
        break;
      case "reply":
        this.#composer().reply(message);
        break;
      case "edit":
        this.#composer().edit(message);
        break;
      case "remove":
        this.#editing.remove(message);
        break;
      case "copyLink":
        this.#copy(`${location.origin}/chat/${this.#room.id}?at=${message.id}`, texts.linkCopied);
        break;
      case "copyText":
        this.#copy(message.content, texts.textCopied);
        break;
    }
  }

  #react(row, emoji) {
    if (emoji && this.#actions.allows("react", row)) {
      this.#reacting.toggle(row, emoji);
    }
  }

  async #copy(text, done) {
    this.#toast.say((await copy(text)) ? done : texts.notCopied);
  }

  #clicked(event, scroller) {
    const { target } = event;
    const row = this.#messages.rowOf(target);
    const reaction = target.closest(".reaction");
    const quote = target.closest("a.quote");
    const link = target.closest(".message__html a");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (reaction?.value) {
      this.#react(row, reaction.value);
    } else if (reaction) {
      this.#chosen("react", row, reaction.getBoundingClientRect());
    } else if (quote && isPlain) {
      event.preventDefault();
      this.#jump.to(quote.dataset.replyTo);
    } else if (target.closest(".message__all")) {
      row.toggleAll();
      scroller.dispatchEvent(new Event("scroll")); // the end is somewhere else now
    } else if (link && link.origin !== location.origin) {
      link.target = "_blank"; // `rel` came with it
    }
  }

  async #insertEmoji(button) {
    const emoji = await this.#picker.pick(button.getBoundingClientRect());
    if (emoji) {
      this.#composer().insert(emoji);
    }
  }

  #typing({ user_id, user_name }) {
    if (user_id !== this.#user.id) {
      this.#people.learn(user_id, user_name);
      this.#typists.heard(user_id, user_name);
    }
  }

  /** The people whom the page knows: from events, and from the messages on it. */
  get #known() {
    for (const { message } of this.#messages.rows) {
      if (!this.#people.name(message.user_id)) {
        this.#people.learn(message.user_id, message.user_name);
      }
    }
    return this.#people;
  }

  async #askWhoIsHere() {
    if (performance.now() - this.#askedAt < PRESENCE_MAX_AGE) {
      return;
    }
    this.#askedAt = performance.now();
    try {
      const users = await this.#api.presence(this.#room.id);
      users.forEach(({ id, name }) => this.#people.learn(id, name));
      this.#completion.update();
    } catch {
      // Then only authors of messages can be completed.
    }
  }
}
