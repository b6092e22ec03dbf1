/** Shows dates that the server rendered in UTC in the reader's time zone and locale. */
import { date } from "../support/times.js";

export function localDates(root) {
  for (const time of root.querySelectorAll('time[data-format="date"]')) {
    time.textContent = date(new Date(time.dateTime));
  }
}
