/** What this browser keeps for one user. Every name of it has the user's id, so nobody reads another's. */
import { Draft } from "../composer/draft.js";
import { OutboxStore } from "../outbox/outbox_store.js";
import { Stored } from "../support/stored.js";

const KEPT = ["recent-room", "notices", "emoji"];
const LEFT = "left:";

/** How many messages are begun or waiting, in this browser and this tab. */
export async function countUnsent(userId) {
  const waiting = ((await new OutboxStore().all()) ?? []).filter((entry) => entry.userId === userId);
  return waiting.length + Draft.count(userId);
}

/** What tabs still have of users who signed out while they showed something else. `userId`: who is here now. */
export function forgetWhoLeft(userId) {
  new Stored(`${LEFT}${userId}`).forget();
  Stored.keys(LEFT).forEach((key) => Draft.forgetAll(Number(key.slice(LEFT.length))));
}

/** `withUnsent`: messages that were not sent, too. What was only begun goes in any case. */
export async function forgetOwnThings(userId, withUnsent) {
  for (const name of KEPT) {
    const keys = [`${name}:${userId}`, ...Stored.keys(`${name}:${userId}:`)];
    keys.forEach((key) => new Stored(key).forget());
  }
  new Stored(`${LEFT}${userId}`).write(true);
  Draft.forgetAll(userId);
  if (withUnsent) {
    const store = new OutboxStore();
    const waiting = ((await store.all()) ?? []).filter((entry) => entry.userId === userId);
    await Promise.all(waiting.map((entry) => store.delete(entry)));
  }
}
