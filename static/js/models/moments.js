// Times as people say them, in the reader's own zone and language.

import { texts } from "../texts.js";

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });

const GROUP_MS = 5 * 60 * 1000;

export const clock = (date) => time.format(date);
export const exactly = (date) => full.format(date);
export const isSameDay = (a, b) => a.toDateString() === b.toDateString();
export const isSoonAfter = (a, b) => Math.abs(b - a) < GROUP_MS;

export function dayName(date, now = new Date()) {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (isSameDay(date, now)) return texts.today;
  if (isSameDay(date, yesterday)) return texts.yesterday;
  return (date.getFullYear() === now.getFullYear() ? day : dayOfYear).format(date);
}
