/** The list of rooms. What was written in any of them and not sent goes out from here too. */
import { localDates } from "./controllers/dates.js";
import { LeftBehind } from "./controllers/left_behind.js";
import { showPageOver } from "./controllers/page_over.js";
import { Frame } from "./frame.js";
import { Api } from "./helpers/api.js";
import { onWake } from "./helpers/wake.js";
import { Outbox } from "./models/outbox.js";
import { OutboxStore } from "./models/outbox_store.js";
import { forgetOwnThings } from "./models/own_things.js";
import { PageSession } from "./models/page_session.js";

const lobby = document.querySelector(".lobby");
const user = { id: Number(lobby.dataset.userId), name: lobby.dataset.userName };
const api = new Api({
  token: document.querySelector('meta[name="csrf-token"]').content,
  userId: user.id,
  onEnd: (state) => session.end(state),
});
const leftBehind = document.getElementById("left-behind"); // the search has none
const nobodyLooks = { added() {}, changed() {}, sent() {}, discarded() {} };
const outbox = new Outbox({
  userId: user.id,
  store: new OutboxStore(),
  post: (entry) => api.post(entry),
  on: leftBehind ? new LeftBehind({ section: leftBehind, outbox: () => outbox }) : nobodyLooks,
});

const session = new PageSession({
  userId: user.id,
  isElses: () => api.isElses(),
  on: {
    ended(state, withUnsent) {
      api.stop();
      if (state === "left") {
        forgetOwnThings(user.id, withUnsent);
      }
      const main = document.getElementById("main");
      main.replaceChildren();
      showPageOver(state, main);
    },
  },
});
new Frame({ api, user, session });
onWake(() => outbox.hurry());
localDates(lobby);
