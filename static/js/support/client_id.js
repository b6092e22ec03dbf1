/** A name for a message that nobody else will give one. crypto.randomUUID is missing on plain http; this is not. */
export function clientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
