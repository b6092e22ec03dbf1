/**
 * A room. Builds the parts and connects them: what the stream brings goes through the log to the messages on the page;
 * what is written goes through the outbox to the server.
 */
import { Composer } from "./controllers/composer.js";
import { Connection } from "./controllers/connection.js";
import { localDates } from "./controllers/dates.js";
import { Drawer } from "./controllers/drawer.js";
import { History } from "./controllers/history.js";
import { Messages } from "./controllers/messages.js";
import { Newest } from "./controllers/newest.js";
import { Unread } from "./controllers/unread.js";
import { Unsent } from "./controllers/unsent.js";
import { followKeyboard } from "./controllers/viewport.js";
import { Frame } from "./frame.js";
import { Api } from "./helpers/api.js";
import { onWake } from "./helpers/wake.js";
import { Draft } from "./models/draft.js";
import { Outbox } from "./models/outbox.js";
import { OutboxStore } from "./models/outbox_store.js";
import { RoomLog } from "./models/room_log.js";
import { RoomStream } from "./models/room_stream.js";

const element = (id) => document.getElementById(id);
const { roomId, userId, userName } = element("room").dataset;
const room = { id: Number(roomId) };
const user = { id: Number(userId), name: userName };
const list = element("messages");
const scroller = element("log");
const api = new Api(document.querySelector('meta[name="csrf-token"]').content);
const readPage = (parameters) => api.messages(room.id, parameters);

// The page

const messages = new Messages({
  element: list,
  scroller,
  on: {
    arrived(rows, all) {
      const byOthers = rows.filter((row) => row.message.user_id !== user.id);
      newest.add(byOthers.length);
      unread.add(byOthers);
      all.forEach((message) => outbox.settle(message));
      list.dataset.cursor = log.tip;
    },
    trimmed() {
      history.hasMore = true;
    },
  },
});
const history = new History({ link: element("older"), origin: element("origin"), scroller, messages, readPage });
const newest = new Newest({ button: element("newest"), scroller, scroll: messages.scroll });
const unread = new Unread();
const connection = new Connection(element("connection"));

// What goes out

const unsent = new Unsent({ messages, room, user, outbox: () => outbox, onUnseen: () => stream.refresh() });
const outbox = new Outbox({
  userId: user.id,
  store: new OutboxStore(),
  post: (entry) => api.post(entry),
  on: unsent,
});
const composer = new Composer({
  form: element("message-form"),
  left: element("room-left"),
  draft: new Draft(user.id, room.id),
  onSend(content) {
    unread.clear();
    outbox.add(room.id, content);
  },
});

// What comes in

const stream = new RoomStream({
  roomId: room.id,
  cursor: list.dataset.cursor,
  on: {
    event: (kind, event) => log.receive(kind, event),
    reset: () => log.reset(),
    state(state, since) {
      connection.show(state, since);
      if (state === "live") {
        outbox.hurry();
        frame.presence.refresh();
      }
    },
  },
});
const log = new RoomLog({
  cursor: list.dataset.cursor,
  stream,
  readPage,
  on: {
    event(kind, event) {
      if (kind === "message") {
        messages.receive([event]);
      } else if (kind === "presence") {
        frame.presence.receive(event);
      }
    },
    messages: (page) => messages.receive(page),
    replaced(page) {
      messages.replace(page.messages);
      page.messages.forEach((message) => outbox.settle(message));
      history.hasMore = page.has_more;
      list.dataset.cursor = page.cursor;
    },
  },
});

// The frame

const frame = new Frame({ api, user, room });
new Drawer({
  sidebar: element("sidebar"),
  opener: element("menu"),
  closer: element("sidebar").querySelector(".sidebar__close"),
  shade: element("shade"),
  rest: element("room"),
});
followKeyboard(document.documentElement);
localDates(scroller);
element("hint").hidden = false;
element("elsewhere")?.remove();
element("sidebar").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });

onWake(() => {
  stream.refresh();
  log.hurry();
  outbox.hurry();
});
messages.scroll.toEnd();
stream.open();
if (matchMedia("(pointer: fine)").matches) {
  composer.focus();
}
