/**
 * Stores unsent messages through reloads, for all tabs: in IndexedDB, in the order of writing. That takes a moment in
 * which the page may be closed, so each entry has a note in localStorage, written at once, until the database has it.
 * If IndexedDB is missing, broken or full, the note stays; without both, only this page has the entry.
 */
import { Stored } from "../support/stored.js";

const NAME = "harbour";
const ENTRIES = "outbox";
const NOTES = "outbox:";
const OPENING_TAKES = 3_000; // ms, at most: some browsers never answer after a crash

export class OutboxStore {
  #database;
  #onlyHere = new Map();

  constructor() {
    this.#database = open().catch(() => null);
  }

  /** All entries, of all users of this browser, in the order of writing. Null if they can't be read right now. */
  async all() {
    const noted = Stored.keys(NOTES).map((key) => new Stored(key).read(null));
    const kept = await this.#kept();
    if (!kept) {
      return null;
    }
    const isKept = new Set(kept.map((entry) => entry.clientId));
    const left = [...noted, ...this.#onlyHere.values()].filter((entry) => entry && !isKept.has(entry.clientId));
    return [...kept, ...left.sort((a, b) => a.createdAt.localeCompare(b.createdAt))];
  }

  /** Stores an entry. Returns its number in the database; undefined if there is only the note. */
  async add(entry) {
    const isNoted = note(entry).write(record(entry));
    const number = await this.#run("readwrite", (entries) => entries.add(record(entry)));
    if (number !== undefined) {
      note(entry).forget();
    } else if (!isNoted) {
      this.#onlyHere.set(entry.clientId, record(entry));
    }
    return number;
  }

  /** Stores a changed entry, if it is still there: another tab may have discarded it. */
  async put(entry) {
    const written = note(entry);
    if (written.read(null)) {
      written.write(record(entry));
    }
    if (this.#onlyHere.has(entry.clientId)) {
      this.#onlyHere.set(entry.clientId, record(entry));
    }
    const number = await this.#numberOf(entry);
    if (number !== undefined) {
      await this.#run("readwrite", (entries) => {
        const found = entries.get(number);
        found.addEventListener("success", () => found.result && entries.put({ ...record(entry), number }));
        return found;
      });
    }
  }

  async delete(entry) {
    note(entry).forget();
    this.#onlyHere.delete(entry.clientId);
    const number = await this.#numberOf(entry);
    if (number !== undefined) {
      await this.#run("readwrite", (entries) => entries.delete(number));
    }
  }

  /** The entry's number. Another tab may have stored an entry that we know from its note alone. */
  async #numberOf({ number, clientId }) {
    return number ?? (await this.#kept())?.find((entry) => entry.clientId === clientId)?.number;
  }

  /** The entries in the database; none without a database. */
  async #kept() {
    return (await this.#database) ? this.#run("readonly", (entries) => entries.getAll()) : [];
  }

  async #run(mode, work) {
    try {
      const transaction = (await this.#database)?.transaction(ENTRIES, mode);
      if (!transaction) {
        return undefined;
      }
      // A request can succeed and its transaction still get lost with the page.
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

/** The fields of an entry that are stored. */
function record({ clientId, userId, roomId, roomName, content, replyTo, createdAt, refusal, notBefore }) {
  return { clientId, userId, roomId, roomName, content, replyTo, createdAt, refusal, notBefore };
}

/** Async, so that a browser that forbids storage (which throws) looks like one whose storage is broken. */
async function open() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(ENTRIES, { keyPath: "number", autoIncrement: true });
  const tooLong = new Promise((_, reject) => setTimeout(reject, OPENING_TAKES));
  return await Promise.race([result(request), tooLong]);
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
