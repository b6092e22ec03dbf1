/** Every text that scripts put on the page. Another language is another version of this file, and of the templates. */
const TURNS_DIRECTION = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const FIRST_STRONG_ISOLATE = "\u2068";
const POP_ISOLATE = "\u2069";

export const texts = {
  language: "en",

  noSuchRoom: "No matching rooms",
  searchHint: "Type a word or the start of one. Newest first.",
  searching: "Searching…",
  nothingFound: (query) => `No messages match “${query}”.`,
  searchOffline: "You're offline. Search resumes when you're back.",
  nothingFoundYet: (query) => `No messages match “${query}” so far. There are older ones to search.`,
  moreResults: "More",
  lookFurther: "Search older messages",
  searchFailed: "Search failed. Press Enter to try again.",
  searchRefused: (reason) => asSentence(reason),
  inRoom: (name) => `in ${isolated(name)}`,

  here: (count, written) => (count === 1 ? "1 person here" : `${written} people here`),
  more: (count) => `+${count}`,
  andMore: (count) => `and ${count} more`,
  thatIsYou: (name) => `${isolated(name)} (you)`,

  notices: {
    default: "Get notified when someone mentions you.",
    granted: "Notify me about:",
    denied: "Notifications are blocked in your browser's settings for this site.",
    missing: "This browser can't show notifications here.",
  },
  messageIn: (name, room) => `${isolated(name)} in ${isolated(room)}`,
  manyMessages: (count, room) => `${count} new messages in ${isolated(room)}`,

  keys: { Mod: "Ctrl", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", Enter: "Enter", Alt: "Alt", Shift: "Shift" },
  macKeys: { Mod: "⌘", ArrowUp: "↑", ArrowDown: "↓", Escape: "esc", Enter: "return", Alt: "⌥", Shift: "⇧" },

  connecting: "Connecting…",
  connected: "Connected",
  back: "Reconnected",
  lost: (since) => `Offline since ${since}. Messages will send when you're back.`,
  over: "This room was deleted. You can read it until you leave this page.",
  signedOut: "You are signed out.",
  somebodyElse: "Somebody else is signed in.",
  signIn: "Sign in",
  goOn: "Go to rooms",
  product: "Harbour",
  pageOver: {
    "signed-out": "You are signed out. What you wrote and what is not sent yet waits here for you alone.",
    "somebody-else": "Somebody else is signed in in this browser now. Nothing more is sent from here; what you wrote waits until you sign in again.",
    left: "You are signed out.",
  },
  unsentMessages: (count) => (count === 1 ? "1 message is not sent yet" : `${count} messages are not sent yet`),
  notSignedOut: (reason) => `You are still signed in: ${reason}.`,

  sending: "Sending…",
  heldBack: "That was a lot at once. It goes out by itself in a moment.",
  waitingToSend: "Not sent yet.",
  notSent: (reason) => `Not sent: ${reason}.`,
  notSentSignedOut: "Not sent: you are signed out.",
  unknownRoom: "A room that was left",

  newMessages: (count) => `${count} new ↓`,
  newest: "Jump to latest ↓",
  titleWithCounts: (unread, mentions, title) => (mentions ? `(@${mentions} · ${unread}) ${title}` : `(${unread}) ${title}`),

  charactersLeft: (count) => `${count} left`,
  noneLeft: "No characters left",

  showAll: "Show all",
  showLess: "Show less",
  editedAt: (time) => `Edited ${time}. What it said before is kept, and can be looked up. Delete the message to take that away.`,
  reactedBy: (names, emoji) => `${names} reacted with ${emoji}`,
  somebody: (count) => (count === 1 ? "1 other" : `${count} others`),

  replyingTo: (name) => `Replying to ${isolated(name)}`,
  editing: "Editing your message",
  saving: "Saving…",
  notSaved: (reason) => `Not saved: ${reason}. Your text is in the field below.`,
  deleting: "Deleting…",
  notDeleted: (reason) => `Not deleted: ${reason}.`,
  notReacted: (emoji, on, reason) => (on ? `Couldn't add ${emoji}: ${reason}.` : `Couldn't remove ${emoji}: ${reason}.`),
  noConnection: "you're offline",
  signedOutReason: "you're signed out",
  linkCopied: "Link copied",
  textCopied: "Text copied",
  notCopied: "Couldn't copy",
  notFound: "That message is not on this page",

  isTyping: (name) => `${isolated(name)} is typing…`,
  areTyping: (names) => `${names} are typing…`,
  severalType: "Several people are typing…",
  suggestions: (count) => (count === 1 ? "1 name" : `${count} names`),

  emojiGroups: {
    recent: "Recently used",
    faces: "Faces",
    hands: "People & body",
    hearts: "Hearts & feelings",
    nature: "Nature",
    food: "Food & drink",
    things: "Things",
    travel: "Places & weather",
    signs: "Symbols",
  },
  noEmoji: "No matching emoji",
};

/** Returns the server's text of an error as a sentence of its own. */
function asSentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

const numberFormat = new Intl.NumberFormat(texts.language);

/** A number as its reader writes it: 12,345 */
export const number = (value) => numberFormat.format(value);

/**
 * A name within plain text. A name that reads from right to left, or that contains a character which turns the
 * direction, turns nothing beside it. In elements `css/sidebar/names.css` does that.
 */
export function isolated(name) {
  return TURNS_DIRECTION.test(name) ? FIRST_STRONG_ISOLATE + name + POP_ISOLATE : name;
}
