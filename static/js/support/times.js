/** Formats times in the reader's time zone and locale, in the language of the page. */
import { texts } from "./texts.js";

const MINUTE = 60_000; // ms

const locale = navigator.languages.find((each) => each.split("-")[0] === texts.language) ?? texts.language;
const clockFormat = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const fullFormat = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" });
const dateFormat = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
const dayFormat = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
const relativeFormat = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

/** 14:02 */
export const clock = onceAMinute(clockFormat);

/** Monday 23 November 2026 at 14:02 */
export const full = onceAMinute(fullFormat);

/** 23 November 2026 */
export const date = (when) => dateFormat.format(when);

/** Today, Yesterday, Sunday 22 November; with the year where it is not this one. */
export function day(when, now = new Date()) {
  const ago = Math.round((startOfDay(now) - startOfDay(when)) / 86_400_000);
  if (ago === 0 || ago === 1) {
    const word = relativeFormat.format(-ago, "day");
    return word[0].toUpperCase() + word.slice(1);
  }
  return (when.getFullYear() === now.getFullYear() ? dayFormat : dateFormat).format(when);
}

export function untilMidnight(now = new Date()) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1) - now;
}

/** Formats a time of which seconds do not show. Messages that come one behind the other mostly have one minute. */
function onceAMinute(format) {
  let minute;
  let words;
  return (when) => {
    const wanted = Math.floor(when / MINUTE);
    if (wanted !== minute) {
      words = format.format(when);
      minute = wanted;
    }
    return words;
  };
}

function startOfDay(when) {
  return new Date(when.getFullYear(), when.getMonth(), when.getDate());
}
