/** The list of rooms, and the search page. Sends unsent messages of all rooms too. */
import { LeftBehind } from "./outbox/left_behind.js";
import { Outbox } from "./outbox/outbox.js";
import { OutboxStore } from "./outbox/outbox_store.js";
import { PageFrame } from "./page_frame.js";
import { forgetOwnThings } from "./session/own_things.js";
import { showPageOver } from "./session/page_over.js";
import { PageSession } from "./session/page_session.js";
import { onResume } from "./stream/on_resume.js";
import { Api } from "./support/api.js";
import { localDates } from "./window/dates.js";

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
new PageFrame({ api, user, session });
onResume(() => outbox.hurry());
localDates(lobby);
