/** An avatar: initials on a hue. The server's templates make the same. */
const HUES = 12;

export function initials(name) {
  const words = name.trim().split(/\s+/).slice(0, 2);
  return words.map(([letter = ""]) => letter).join("").toUpperCase();
}

export function hueClass(userId) {
  return `face--h${userId % HUES}`;
}
