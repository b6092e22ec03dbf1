// Every word that a script shows. Another language is another file like this one.

export const texts = {
  connecting: "Connecting…",
  connected: "Connected",
  back: "Back. Nothing was missed.",
  lost: (since) => `Connection lost at ${since}. You can keep writing; it will be sent.`,
  over: "This room has been closed.",
  signedOut: "You are signed out. Sign in again to go on.",
  newMessages: (count) => `${count} new ↓`,
  toNewest: "Newest ↓",
  title: (count, title) => (count ? `(${count}) ${title}` : title),
  today: "Today",
  yesterday: "Yesterday",
  sending: "Sending…",
  waiting: "Not sent yet. It goes out by itself as soon as that works.",
  refused: (reason) => `Not sent: ${reason}.`,
  retry: "Try again",
  discard: "Discard",
  charactersLeft: (count) => `${count} left`,
  loadingOlder: "Loading…",
  older: "Older messages",
  olderFailed: "That did not work. Try again",
};
