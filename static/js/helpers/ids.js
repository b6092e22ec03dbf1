// The ids that clients make, and the order of those that the server makes.

/** A name for a message that nobody else will choose: 22 letters, digits, - and _. */
export function newClientId() {
  // Not crypto.randomUUID: browsers offer that behind HTTPS only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Negative, zero or positive, as `a` stands before, at or behind `b` in the room's log. */
export function compareIds(a, b) {
  const [ams, aseq] = a.split("-").map(Number);
  const [bms, bseq] = b.split("-").map(Number);
  return ams - bms || aseq - bseq;
}
