// Where unsent messages wait: in IndexedDB, so that they survive a reload, a crash and a night.

const NAME = "harbour-outbox";

export class OutboxStore {
  #database;

  /** The browser's own store; or, where it has none to give (some private windows), memory that looks like it. */
  static async open(userId) {
    try {
      return new OutboxStore(await openDatabase(`${NAME}-${userId}`));
    } catch {
      return new MemoryStore();
    }
  }

  constructor(database) {
    this.#database = database;
  }

  /** The room's unsent messages, oldest first. */
  async all(roomId) {
    const items = await settled(this.#items("readonly").index("room").getAll(roomId));
    return items.sort((a, b) => a.number - b.number);
  }

  async put(item) {
    await settled(this.#items("readwrite").put(item));
  }

  async remove(clientId) {
    await settled(this.#items("readwrite").delete(clientId));
  }

  #items(mode) {
    return this.#database.transaction("items", mode).objectStore("items");
  }
}

class MemoryStore {
  #items = new Map();

  async all() {
    return [...this.#items.values()];
  }

  async put(item) {
    this.#items.set(item.client_id, item);
  }

  async remove(clientId) {
    this.#items.delete(clientId);
  }
}

function openDatabase(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("items", { keyPath: "client_id" }).createIndex("room", "room_id");
  };
  return settled(request);
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}
