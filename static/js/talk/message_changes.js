/**
 * What a lasting change makes of a message: the server's own rules, so that a page that saw every change shows what a
 * page that has just been loaded shows. Deleted is deleted for ever, whatever comes after it. Nothing here knows a page.
 */

/** The message after the change; the same object where the change says nothing new. */
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

/** A tombstone: who, when and where in the log. */
function deleted({ html, mentions, reactions, edited_at, reply_to, look, ...rest }) {
  return { ...rest, content: "", deleted: true };
}

/** In the order in which each emoji, and each person behind it, came first. One that nobody means any more goes. */
export function reacted(reactions, { emoji, user_id, on }) {
  const known = reactions.find((each) => each.emoji === emoji);
  const others = (known?.user_ids ?? []).filter((id) => id !== user_id);
  const user_ids = !on ? others : known?.user_ids.includes(user_id) ? known.user_ids : [...others, user_id];
  const all = known
    ? reactions.map((each) => (each === known ? { emoji, user_ids } : each))
    : [...reactions, { emoji, user_ids }];
  return all.filter((each) => each.user_ids.length > 0);
}
