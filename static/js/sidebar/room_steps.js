/** Goes to the next or previous room of the list. */
import { listedRooms } from "./listed_rooms.js";

/** `step`: 1 down, -1 up. Wraps around; does nothing without another room. `isWanted(room)`: which rooms count. */
export function stepToRoom(list, step, isWanted = () => true) {
  const rooms = listedRooms(list);
  const here = rooms.findIndex((room) => room.isCurrent);
  const inTurn = step > 0 ? [...rooms.slice(here + 1), ...rooms.slice(0, Math.max(here, 0))] : [...rooms.slice(0, Math.max(here, 0)).reverse(), ...rooms.slice(here + 1).reverse()];
  inTurn.find(isWanted)?.link.click();
}
