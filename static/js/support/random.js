/** An id for a message or a tab that nobody else will choose. `crypto.randomUUID` is missing on plain http; this is not. */
export function clientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A random number from `least` up to `most`. */
export function between(least, most) {
  return least + Math.random() * (most - least);
}
