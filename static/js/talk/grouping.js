/** Compares a message with the one above it. Days are those of the reader's own time zone. */
const GROUP_GAP = 5 * 60_000; // ms between two messages of one author that share a heading, at most

/** Returns the values that are compared. Made once for each message: a change of the list compares all of them. */
export function placeInTalk({ user_id: userId, created_at }) {
  const at = new Date(created_at);
  return { userId, at: at.getTime(), day: at.toDateString() };
}

export function isNewDay(previous, place) {
  return previous?.day !== place.day;
}

export function continues(previous, place) {
  return previous?.userId === place.userId && !isNewDay(previous, place) && Math.abs(place.at - previous.at) < GROUP_GAP;
}
