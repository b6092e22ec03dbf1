/**
 * Applies edits, deletions and reactions to a message, by the server's own rules: a page that saw every change shows
 * the same as a page that was just loaded. A deleted message stays deleted, whatever comes after. Nothing here touches
 * the page.
 */

/** Returns the message after the change; the same object if nothing changed. */
export function changed(message, kind, event) {
  if (message.deleted) {
    return message;
  }
  switch (kind) {
    case "edited":
      return edited(message, event);
    case "deleted":
      return deleted(message);
    case "reaction":
      return { ...message, reactions: reacted(message.reactions ?? [], event) };
    default:
      return message;
  }
}

function edited(message, { content, html, mentions, edited_at, look }) {
  return { ...message, content, html, mentions, edited_at, look };
}

/** Keeps only who wrote the message, when, and its place in the log. */
function deleted({ html, mentions, reactions, edited_at, reply_to, look, ...rest }) {
  return { ...rest, content: "", deleted: true };
}

/** Returns the reactions after the change. Emoji and people keep the order in which they came; an emoji without people goes. */
export function reacted(reactions, { emoji, user_id, on }) {
  const known = reactions.find((each) => each.emoji === emoji);
  const others = (known?.user_ids ?? []).filter((id) => id !== user_id);
  const user_ids = !on ? others : known?.user_ids.includes(user_id) ? known.user_ids : [...others, user_id];
  const all = known
    ? reactions.map((each) => (each === known ? { emoji, user_ids } : each))
    : [...reactions, { emoji, user_ids }];
  return all.filter((each) => each.user_ids.length > 0);
}
