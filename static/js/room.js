/**
 * A room. Builds the parts and connects them: events of the stream go through the log to the messages on the page;
 * written messages go through the outbox to the server.
 */
import { MessageTools } from "./actions/message_tools.js";
import { Composer } from "./composer/composer.js";
import { ComposerContext } from "./composer/composer_context.js";
import { Draft } from "./composer/draft.js";
import { TypingNotice } from "./composer/typing_notice.js";
import { Outbox } from "./outbox/outbox.js";
import { OutboxStore } from "./outbox/outbox_store.js";
import { UnsentRows } from "./outbox/unsent_rows.js";
import { PageFrame } from "./page_frame.js";
import { forgetOwnThings } from "./session/own_things.js";
import { showPageOver } from "./session/page_over.js";
import { PageSession } from "./session/page_session.js";
import { Drawer } from "./sidebar/drawer.js";
import { RoomCounts } from "./sidebar/room_counts.js";
import { RoomItems } from "./sidebar/room_items.js";
import { onResume } from "./stream/on_resume.js";
import { SharedStream } from "./stream/shared_stream.js";
import { Api } from "./support/api.js";
import { Messages } from "./talk/messages.js";
import { Paging } from "./talk/paging.js";
import { ReadMark } from "./talk/read_mark.js";
import { Reading } from "./talk/reading.js";
import { RoomLog } from "./talk/room_log.js";
import { ToNewestButton } from "./talk/to_newest_button.js";
import { UnreadLine } from "./talk/unread_line.js";
import { Connection } from "./window/connection.js";
import { localDates } from "./window/dates.js";
import { followKeyboard } from "./window/viewport.js";

const element = (id) => document.getElementById(id);
const { roomId, roomName, userId, userName, lastRead, firstUnread, streamCursor } = element("room").dataset;
const room = { id: Number(roomId), name: roomName };
const user = { id: Number(userId), name: userName };
const list = element("messages");
const scroller = element("log");
const api = new Api({
  token: document.querySelector('meta[name="csrf-token"]').content,
  userId: user.id,
  onEnd: (state) => session.end(state),
});
const readPage = (parameters) => api.messages(room.id, parameters);
const byOthers = (message) => message.user_id !== user.id;
const isNews = (row) => byOthers(row.message);

// The page

const messages = new Messages({
  element: list,
  scroller,
  hasNewer: list.dataset.hasNewer === "true",
  on: {
    arrived(rows, unseen) {
      newest.add(rows.filter(isNews).length);
      unread.add(unseen.filter(isNews));
      reading.look();
    },
    unplaced: (all) => newest.add(all.filter(byOthers).length),
    cut(ends) {
      paging.cut(ends);
      unread.redraw();
      newest.show();
    },
    wantsEnd: () => log.startOver(),
  },
});
const paging = new Paging({
  older: element("older"),
  origin: element("origin"),
  newer: element("newer"),
  scroller,
  messages,
  readPage,
  onPaged() {
    unread.redraw();
    newest.show();
    reading.look();
  },
});
const newest = new ToNewestButton({
  button: element("newest"),
  scroller,
  messages,
  toEnd: () => (messages.hasNewer ? log.startOver() : messages.scroll.toEnd()),
});
const unread = new UnreadLine({ messages, userId: user.id });
const connection = new Connection(element("connection"));

// Read marks, here and in the other rooms

const mark = new ReadMark({
  lastRead: firstUnread ? lastRead : messages.placed.findLast(isNews)?.message.id,
  put: (id) => api.read(room.id, id),
});
const reading = new Reading({ messages, scroller, userId: user.id, mark, onRead: () => counts.clear(room.id) });
const rooms = new RoomItems({ list: element("rooms"), current: room.id });
const counts = new RoomCounts({
  userId: user.id,
  rows: rooms.rows,
  isRead: (id) => id === room.id && reading.isAtEnd,
  on: {
    changed() {
      rooms.show(counts.rows);
      frame.badge.show(counts);
    },
    unsure: (id) => stream.reread(id),
  },
});

// Outgoing

const unsent = new UnsentRows({ messages, room, user, outbox: () => outbox, onUnseen: () => stream.refresh() });
const outbox = new Outbox({
  userId: user.id,
  store: new OutboxStore(),
  post: (entry) => api.post(entry),
  on: unsent,
});
const composer = new Composer({
  form: element("message-form"),
  left: element("room-left"),
  context: new ComposerContext(element("context")),
  draft: new Draft(user.id, room.id),
  on: {
    send(content, replyTo) {
      messages.flush(); // what is answered is not new when it is rendered
      unread.clear();
      typing.done();
      outbox.add(room, content, replyTo);
    },
    save: (message, content) => tools.save(message, content),
    editLast: () => tools.editLast(),
    wrote: (text) => typing.wrote(text),
  },
});
const typing = new TypingNotice(() => api.typing(room.id));

// Actions on messages

const tools = new MessageTools({
  element,
  room,
  user,
  api,
  messages,
  composer: () => composer,
  elsewhere: (id) => location.assign(`/chat/${room.id}?at=${encodeURIComponent(id)}`),
});

// Incoming

const stream = new SharedStream({
  userId: user.id,
  position: () => ({
    roomId: room.id,
    tip: log.tip,
    seen: log.seen,
    tips: [[room.id, log.tip], ...counts.tips.filter(([id]) => id !== room.id)],
  }),
  readRooms: (ids) => api.rooms(ids),
  on: {
    event(kind, event) {
      if (event.room_id === room.id) {
        log.receive(kind, event);
      } else if (kind === "message") {
        outbox.settle(event);
      }
      counts.receive(kind, event);
      if (kind === "message" && stream.isLeading) {
        frame.notifier.notify(event, counts.of(event.room_id));
      }
    },
    reset: (asked, cursor) => log.reset(asked, cursor),
    gap: (cursor) => log.gap(cursor),
    moved: (cursor) => log.at(cursor),
    rooms: (rows) => counts.replace(rows),
    anew: () => frame.presence.refresh(),
    rows: (rows) => counts.update(rows),
    state(state, since) {
      connection.show(state, since);
      if (state === "signed-out" || state === "somebody-else") {
        session.end(state);
      }
      if (state === "live") {
        outbox.hurry();
        frame.presence.refresh();
      }
    },
  },
});
const log = new RoomLog({
  cursor: streamCursor,
  stream,
  readPage,
  on: {
    event(kind, event) {
      if (kind === "read") {
        read(event);
      } else if (kind === "presence") {
        frame.presence.receive(event);
      } else if (event.prev !== undefined) {
        messages.take(kind, event);
        list.dataset.cursor = log.tip;
      }
      if (kind === "message") {
        outbox.settle(event);
      }
      tools.receive(kind, event);
    },
    replaced(page) {
      messages.replace(page.messages);
      page.messages.forEach((message) => outbox.settle(message));
      paging.startOver(page.has_more);
      list.dataset.cursor = page.cursor;
      unread.redraw();
      newest.show();
      reading.look();
    },
  },
});

/** The user has read this room elsewhere. What was read here keeps its line until the user answers. */
function read({ id, unread: rest }) {
  if (rest === 0 && !mark.hasTold(id)) {
    messages.flush(); // what was read is not new when it is rendered
    unread.clear();
  }
}

// Whose page it is

const session = new PageSession({
  userId: user.id,
  isElses: () => api.isElses(),
  on: {
    ended(state, withUnsent) {
      api.stop();
      stream.stopFor(state === "somebody-else" ? 409 : 401);
      messages.replace([]);
      frame.notifier.end();
      frame.badge.show({ unread: 0, mentions: 0 });
      if (state !== "signed-out") {
        connection.show("somebody-else" === state ? state : "signed-out");
        composer.close();
        list.replaceChildren();
        list.remove(); // so that unsent messages of other tabs don't show either
      }
      if (state === "left") {
        forgetOwnThings(user.id, withUnsent);
      }
      showPageOver(state, scroller);
    },
  },
});

// The frame

const frame = new PageFrame({ api, user, session, room });
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

onResume(() => {
  stream.refresh();
  stream.reread();
  frame.presence.refresh();
  log.hurry();
  outbox.hurry();
});

// The first position: the message that was asked for, at the first unread one, or at the end.

unread.start(firstUnread, lastRead);
const wanted = messages.find(new URLSearchParams(location.search).get("at"));
messages.scroll.toEnd();
if (wanted) {
  tools.jumpTo(wanted.message.id);
} else if (unread.row) {
  messages.scroll.to(unread.row.element);
}
frame.badge.show(counts);
newest.show();
reading.look();
stream.open();
if (matchMedia("(pointer: fine)").matches && !wanted) {
  composer.focus();
}
