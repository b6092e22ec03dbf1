/** Compares a message with the one above it. Days are those of the reader's own time zone. */
const GROUP_GAP = 5 * 60_000; // ms between two messages of one author that share a heading, at most

export function isNewDay(previous, message) {
  return !previous || new Date(previous.created_at).toDateString() !== new Date(message.created_at).toDateString();
}

export function continues(previous, message) {
  return (
    previous?.user_id === message.user_id &&
    !isNewDay(previous, message) &&
    Math.abs(new Date(message.created_at) - new Date(previous.created_at)) < GROUP_GAP
  );
}
