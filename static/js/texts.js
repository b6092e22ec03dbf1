/**
 * Every word that scripts put on the page. Another language is another version of this file, and of the templates.
 */
export const texts = {
  language: "en",

  connecting: "Connecting…",
  connected: "Connected",
  back: "Back",
  lost: (since) => `Connection lost since ${since}. You can keep writing; it will be sent.`,
  over: "This room was closed. What was said stays here until you leave the page.",
  signedOut: "You are signed out.",
  signIn: "Sign in",

  sending: "Sending…",
  waitingToSend: "Not sent yet.",
  notSent: (reason) => `Not sent: ${reason}.`,
  notSentSignedOut: "Not sent: you are signed out.",

  newMessages: (count) => `${count} new ↓`,
  newest: "Newest ↓",
  titleWithCount: (count, title) => `(${count}) ${title}`,

  charactersLeft: (count) => `${count} characters left`,
  noneLeft: "That is all that fits",
};
