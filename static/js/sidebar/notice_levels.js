/** For which messages of which room somebody wants to be called: all, mentions (unless told otherwise), or none. */
import { Stored } from "../support/stored.js";

const LEVELS = ["all", "mentions", "none"];
const USUAL = "mentions";

export class NoticeLevels {
  #userId;
  #stored;

  constructor(userId) {
    this.#userId = userId;
    this.#stored = new Stored(`notices:${userId}`);
  }

  of(roomId) {
    const level = this.#stored.read({})[roomId];
    return LEVELS.includes(level) ? level : USUAL;
  }

  choose(roomId, level) {
    this.#stored.write({ ...this.#stored.read({}), [roomId]: level });
  }

  /** Whether this message is worth a call. One's own never is. */
  wants({ room_id: roomId, user_id: userId, mentions = [] }) {
    const level = this.of(roomId);
    return userId !== this.#userId && (level === "all" || (level === "mentions" && mentions.includes(this.#userId)));
  }
}
