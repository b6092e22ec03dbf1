// The room's page: finds the parts in the document and ties them together.

import { Composer } from "./controllers/composer.js";
import { Connection } from "./controllers/connection.js";
import { makeDrawer } from "./controllers/drawer.js";
import { MessageList } from "./controllers/message_list.js";
import { Newest } from "./controllers/newest.js";
import { Older } from "./controllers/older.js";
import { ScrollKeeper } from "./controllers/scroll_keeper.js";
import { Api } from "./helpers/api.js";
import { Outbox } from "./models/outbox.js";
import { OutboxStore } from "./models/outbox_store.js";
import { RoomStream } from "./models/room_stream.js";
import { Talk } from "./models/talk.js";

const part = (selector) => document.querySelector(selector);

async function start() {
  const { roomId: room, userId, userName } = part(".talk").dataset;
  const roomId = Number(room);
  const me = { id: Number(userId), name: userName };
  const api = new Api(part('meta[name="csrf-token"]').content);
  const box = part(".log");
  const scroll = new ScrollKeeper(box);
  const newest = new Newest({ pill: part(".newest"), box, scroll });
  const connection = new Connection({ lamp: part(".lamp"), word: part(".state__word") });

  const list = new MessageList({
    list: part("#messages"),
    templates: { message: part("#message-template"), note: part("#note-template"), day: part("#day-template") },
    me,
    onRetry: (clientId) => outbox.retry(clientId),
    onDiscard: (clientId) => {
      list.discard(clientId);
      outbox.discard(clientId);
    },
  });

  const older = new Older({
    part: part(".log__older"),
    start: part(".log__start"),
    box,
    load: (before, limit) => api.page(roomId, { before, limit }),
    firstId: () => list.firstId,
    show: (messages) => scroll.keepPlace(() => messages.forEach((message) => list.show(message))),
  });

  function show(message) {
    let isNew = false;
    const wasAtEnd = scroll.growEnd(() => (isNew = list.show(message)));
    if (isNew && message.user_id !== me.id) newest.count(wasAtEnd);
    if (message.user_id === me.id) outbox.settle(message.client_id);
    if (wasAtEnd && list.trim()) {
      older.exist = true;
      scroll.toEnd();
    }
  }

  const outbox = new Outbox({
    roomId,
    store: await OutboxStore.open(me.id),
    send: async (item) => (await api.post({ room_id: item.room_id, content: item.content, client_id: item.client_id })).message,
    onChange: (item) => scroll.growEnd(() => list.showPending(item)),
    onSent: show,
  });

  const talk = new Talk({
    tip: part("#messages").dataset.cursor,
    loadAfter: (after) => api.page(roomId, { after, limit: 200 }),
    show,
  });

  const stream = new RoomStream({
    roomId,
    cursor: talk.tip,
    onMessage: (message) => talk.receive(message),
    onReset: async () => {
      const page = await api.page(roomId);
      list.clear();
      talk.restart(page);
      older.exist = page.has_more;
      scroll.toEnd();
    },
    onState: (state) => {
      connection.show(state);
      if (state === "live") outbox.wake();
    },
  });

  const composer = new Composer({
    form: part("#message-form"),
    left: part(".composer__left"),
    roomId,
    onSend: (content) => {
      outbox.add(content);
      scroll.toEnd();
    },
  });

  makeDrawer({
    shell: document.body,
    opener: part(".talk__menu"),
    closer: part(".sidebar__close"),
    sidebar: part(".sidebar"),
  });

  const wake = () => {
    stream.wake();
    outbox.wake();
  };
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => document.hidden || wake());
  window.addEventListener("pagehide", () => stream.suspend());
  window.addEventListener("pageshow", (event) => event.persisted && wake());
  // The keyboard of a phone came up, or a window was pulled smaller: who was at the end stays there.
  let atEnd = true;
  box.addEventListener("scroll", () => (atEnd = scroll.isAtEnd), { passive: true });
  new ResizeObserver(() => atEnd && scroll.toEnd()).observe(box);

  scroll.toEnd();
  if (matchMedia("(pointer: fine)").matches) composer.focus();
  stream.open();
  await outbox.restore();
}

start();
