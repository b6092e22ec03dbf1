/** The list of rooms. What was written in any of them and not sent goes out from here too. */
import { localDates } from "./controllers/dates.js";
import { Frame } from "./frame.js";
import { Api } from "./helpers/api.js";
import { onWake } from "./helpers/wake.js";
import { Outbox } from "./models/outbox.js";
import { OutboxStore } from "./models/outbox_store.js";

const lobby = document.querySelector(".lobby");
const api = new Api(document.querySelector('meta[name="csrf-token"]').content);
const nobodyLooks = { added() {}, changed() {}, sent() {}, discarded() {} };

const outbox = new Outbox({
  userId: Number(lobby.dataset.userId),
  store: new OutboxStore(),
  post: (entry) => api.post(entry),
  on: nobodyLooks,
});

new Frame({ api, user: { id: Number(lobby.dataset.userId), name: lobby.dataset.userName } });
onWake(() => outbox.hurry());
localDates(lobby);
