/**
 * Where unsent messages survive a reload: IndexedDB, in the order of writing. That takes a moment, in which the page may
 * go: so each has a note in localStorage, which is written at once, until it is there. Where IndexedDB is missing, broken
 * or full the note stays; where that is so with both, the page goes on without.
 */
import { Stored } from "../helpers/stored.js";

const NAME = "harbour";
const ENTRIES = "outbox";
const NOTES = "outbox:";
const OPENING_TAKES = 3_000; // ms, at most: some browsers never answer after a crash

export class OutboxStore {
  #database;

  constructor() {
    this.#database = open().catch(() => null);
  }

  /** All entries, of all users of this browser. */
  async all() {
    const noted = Stored.keys(NOTES).map((key) => new Stored(key).read(null));
    const kept = (await this.#run("readonly", (entries) => entries.getAll())) ?? [];
    const isKept = new Set(kept.map((entry) => entry.clientId));
    const left = noted.filter((entry) => entry && !isKept.has(entry.clientId));
    return [...kept, ...left.sort((a, b) => a.createdAt.localeCompare(b.createdAt))];
  }

  /** Returns the number under which the entry is kept; undefined where only the note is. */
  async add(entry) {
    note(entry).write(record(entry));
    const number = await this.#run("readwrite", (entries) => entries.add(record(entry)));
    if (number !== undefined) {
      note(entry).forget();
    }
    return number;
  }

  put(entry) {
    return entry.number === undefined ? undefined : this.#run("readwrite", (entries) => entries.put(record(entry)));
  }

  delete(entry) {
    note(entry).forget();
    return entry.number === undefined ? undefined : this.#run("readwrite", (entries) => entries.delete(entry.number));
  }

  async #run(mode, work) {
    try {
      const transaction = (await this.#database)?.transaction(ENTRIES, mode);
      if (!transaction) {
        return undefined;
      }
      // A request may succeed and its transaction still be lost with the page.
      const [found] = await Promise.all([result(work(transaction.objectStore(ENTRIES))), completed(transaction)]);
      return found;
    } catch {
      return undefined;
    }
  }
}

function note(entry) {
  return new Stored(NOTES + entry.clientId);
}

/** What is worth keeping of an entry. */
function record({ number, clientId, userId, roomId, content, replyTo, createdAt, refusal }) {
  const kept = { clientId, userId, roomId, content, replyTo, createdAt, refusal };
  return number === undefined ? kept : { ...kept, number };
}

/** Async, so that a browser that forbids storage is caught like one whose storage is broken. */
async function open() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(ENTRIES, { keyPath: "number", autoIncrement: true });
  const tooLong = new Promise((_, reject) => setTimeout(reject, OPENING_TAKES));
  return Promise.race([result(request), tooLong]);
}

function completed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result ?? undefined);
    request.onerror = () => reject(request.error);
  });
}
