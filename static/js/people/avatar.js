/** How somebody is shown where there is no room for their name. The server's templates do the same. */
const HUES = 12;

export function initials(name) {
  const words = name.trim().split(/\s+/).slice(0, 2);
  return words.map(([letter = ""]) => letter).join("").toUpperCase();
}

export function hueClass(userId) {
  return `face--h${userId % HUES}`;
}
