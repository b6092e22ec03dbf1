/** What a message has in common with the one above it. In the reader's own time zone: a day is the reader's day. */
const TOGETHER = 5 * 60_000; // ms between two messages that are read as one breath

export function isNewDay(previous, message) {
  return !previous || new Date(previous.created_at).toDateString() !== new Date(message.created_at).toDateString();
}

export function continues(previous, message) {
  return (
    previous?.user_id === message.user_id &&
    !isNewDay(previous, message) &&
    Math.abs(new Date(message.created_at) - new Date(previous.created_at)) < TOGETHER
  );
}
