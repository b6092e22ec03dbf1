/** Dates that the server wrote in UTC, as their reader says them. */
import { date } from "../support/times.js";

export function localDates(root) {
  for (const time of root.querySelectorAll('time[data-format="date"]')) {
    time.textContent = date(new Date(time.dateTime));
  }
}
