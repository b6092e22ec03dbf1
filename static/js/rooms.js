/** The list of rooms. What was written in any of them and not sent goes out from here too. */
import { localDates } from "./controllers/dates.js";
import { Frame } from "./frame.js";
import { Api } from "./helpers/api.js";
import { onWake } from "./helpers/wake.js";
import { Outbox } from "./models/outbox.js";
import { OutboxStore } from "./models/outbox_store.js";

const lobby = document.querySelector(".lobby");
const user = { id: Number(lobby.dataset.userId), name: lobby.dataset.userName };
const api = new Api({ token: document.querySelector('meta[name="csrf-token"]').content, userId: user.id });
const nobodyLooks = { added() {}, changed() {}, sent() {}, discarded() {} };

const outbox = new Outbox({
  userId: user.id,
  store: new OutboxStore(),
  post: (entry) => api.post(entry),
  on: nobodyLooks,
});

new Frame({ api, user });
onWake(() => outbox.hurry());
localDates(lobby);
