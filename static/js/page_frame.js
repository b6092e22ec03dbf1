/**
 * The frame around the talk on every page of a signed-in user: ways to other rooms, search, settings, who is here,
 * notifications. Builds the parts and connects them; the page feeds `presence`, `badge` and `notifier`.
 */
import { Presence } from "./people/presence.js";
import { WhoIsHere } from "./people/who_is_here.js";
import { SearchDialog } from "./search/search_dialog.js";
import { countUnsent, forgetOwnThings, forgetWhoLeft } from "./session/own_things.js";
import { SignOut } from "./session/sign_out.js";
import { Attention } from "./sidebar/attention.js";
import { Badge } from "./sidebar/badge.js";
import { NoticeChoice } from "./sidebar/notice_choice.js";
import { NoticeLevels } from "./sidebar/notice_levels.js";
import { Notifier } from "./sidebar/notifier.js";
import { RecentRooms } from "./sidebar/recent_rooms.js";
import { stepToRoom } from "./sidebar/room_steps.js";
import { Switcher } from "./sidebar/switcher.js";
import { Confirm } from "./window/confirm.js";
import { Keys } from "./window/keys.js";
import { Sheet } from "./window/sheet.js";
import { ThemeChoice } from "./window/theme_choice.js";
import { Toast } from "./window/toast.js";

const element = (id) => document.getElementById(id);
const hasUnread = (room) => room.unread > 0;

export class PageFrame {
  /** `room`: `{ id }` of the page, or null where it is of none. `session`: session/page_session.js. `go(roomId, id)`: shows a message, on this page or another. */
  constructor({ api, user, session, room = null, go = open }) {
    forgetWhoLeft(user.id);
    const rooms = element("rooms");
    const recent = new RecentRooms(user.id);
    const levels = new NoticeLevels(user.id);

    this.badge = new Badge({ icon: element("icon") });
    this.notifier = new Notifier({
      levels,
      attention: new Attention({ userId: user.id, roomId: room?.id }),
      icon: document.querySelector('link[rel="apple-touch-icon"]').href,
      open: go,
    });
    if (room) {
      recent.enter(room.id);
      this.presence = this.#presence(api, user, room);
    }
    this.#ways(api, room, rooms, recent);
    this.#settings(rooms, levels);
    this.#signOut(api, user, session);
  }

  #presence(api, user, room) {
    const whoIsHere = new WhoIsHere({
      faces: element("faces"),
      dialog: element("people"),
      list: element("people-list"),
      word: element("people-word"),
      user,
    });
    return new Presence({
      roomId: room.id,
      read: () => api.presence(room.id),
      on: { changed: (all) => whoIsHere.show(all) },
    });
  }

  #ways(api, room, rooms, recent) {
    const switcher = new Switcher({ dialog: element("switcher"), rooms, recent });
    const search = new SearchDialog({
      dialog: element("search"),
      parts: Object.fromEntries(
        ["form", "field", "scope", "word", "results", "more", "rest"].map((part) => [part, element(`search-${part}`)]),
      ),
      room,
      find: (parameters, signal) => api.search(parameters, signal),
    });
    const keys = new Sheet(element("keys"));
    new Keys({
      "Mod+k": () => switcher.toggle(),
      "/": () => search.open("room"),
      "Mod+Shift+f": () => search.open("all"),
      "?": () => keys.toggle(),
      "Alt+ArrowUp": () => stepToRoom(rooms, -1),
      "Alt+ArrowDown": () => stepToRoom(rooms, 1),
      "Alt+Shift+ArrowUp": () => stepToRoom(rooms, -1, hasUnread),
      "Alt+Shift+ArrowDown": () => stepToRoom(rooms, 1, hasUnread),
    });
  }

  #signOut(api, user, session) {
    new SignOut({
      form: element("sign-out"),
      word: new Toast(element("leaving-word")),
      confirm: new Confirm(element("leaving")),
      api,
      countUnsent: () => countUnsent(user.id),
      async left(withUnsent) {
        session.leave(withUnsent);
        await forgetOwnThings(user.id, withUnsent);
      },
    });
  }

  #settings(rooms, levels) {
    new ThemeChoice({
      element: element("theme"),
      root: document.documentElement,
      colors: document.querySelectorAll('meta[name="theme-color"]'),
    });
    const notices = new NoticeChoice({
      parts: { word: element("notices-word"), allow: element("notices-allow"), list: element("notices") },
      rooms,
      levels,
    });
    new Sheet(element("settings"), { onOpen: () => notices.show() });
  }
}

function open(roomId, id) {
  location.assign(`/chat/${roomId}?at=${encodeURIComponent(id)}`);
}
