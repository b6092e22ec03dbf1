/** The things that this browser stores for one user. Every key contains the user's id, so nobody reads another's. */
import { Draft } from "../composer/draft.js";
import { OutboxStore } from "../outbox/outbox_store.js";
import { Stored } from "../support/stored.js";

const KEPT_KEYS = ["recent-room", "notices", "emoji"];
const LEFT_PREFIX = "left:";

/** The number of drafts and unsent messages, in this browser and this tab. */
export async function countUnsent(userId) {
  const waiting = ((await new OutboxStore().all()) ?? []).filter((entry) => entry.userId === userId);
  return waiting.length + Draft.count(userId);
}

/** Removes from this tab the drafts of users who signed out while it showed another page. `userId`: the current user. */
export function forgetWhoLeft(userId) {
  new Stored(`${LEFT_PREFIX}${userId}`).forget();
  Stored.keys(LEFT_PREFIX).forEach((key) => Draft.forgetAll(Number(key.slice(LEFT_PREFIX.length))));
}

/** Removes a user's data. `withUnsent`: unsent messages too. Drafts are removed in any case. */
export async function forgetOwnThings(userId, withUnsent) {
  for (const name of KEPT_KEYS) {
    const keys = [`${name}:${userId}`, ...Stored.keys(`${name}:${userId}:`)];
    keys.forEach((key) => new Stored(key).forget());
  }
  new Stored(`${LEFT_PREFIX}${userId}`).write(true);
  Draft.forgetAll(userId);
  if (withUnsent) {
    const store = new OutboxStore();
    const waiting = ((await store.all()) ?? []).filter((entry) => entry.userId === userId);
    await Promise.all(waiting.map((entry) => store.delete(entry)));
  }
}
