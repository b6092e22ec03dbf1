/** Which messages of a room the user wants notifications for: all, mentions (the default), or none. */
import { Stored } from "../support/stored.js";

const LEVELS = ["all", "mentions", "none"];
const USUAL_LEVEL = "mentions";

export class NoticeLevels {
  #userId;
  #stored;

  constructor(userId) {
    this.#userId = userId;
    this.#stored = new Stored(`notices:${userId}`);
  }

  of(roomId) {
    const level = this.#stored.read({})[roomId];
    return LEVELS.includes(level) ? level : USUAL_LEVEL;
  }

  choose(roomId, level) {
    this.#stored.write({ ...this.#stored.read({}), [roomId]: level });
  }

  /** Returns true if the user wants to be notified of this message; never of their own. */
  wants({ room_id: roomId, user_id: userId, mentions = [] }) {
    const level = this.of(roomId);
    return userId !== this.#userId && (level === "all" || (level === "mentions" && mentions.includes(this.#userId)));
  }
}
