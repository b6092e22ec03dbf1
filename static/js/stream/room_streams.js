/**
 * The open streams of any number of rooms: as many connections as that takes, since one follows 50 rooms at most, with
 * one state for all. Mostly it is one connection; more if tabs show more rooms than one stream can follow.
 *
 * It has the interface of RoomStream, see there. Events of no single room are taken from the first connection alone.
 */
import { RoomStream } from "./room_stream.js";

export const ROOMS_OF_ONE = 50; // as the server has it
const STATES = ["live", "connecting", "lost"]; // from the best to the worst
const ENDS = ["over", "signed-out", "somebody-else"];

export class RoomStreams {
  #make;
  #on;
  #streams = [];
  #states = new Map();
  #state = "connecting";
  #isOver = false;

  constructor({ on, ...options }) {
    this.#on = on;
    this.#make = () => this.#stream(options);
    this.#streams.push(this.#make());
  }

  /** `cursors`: of all rooms; they are opened anew, on as many connections as are needed. */
  open(cursors) {
    if (this.#isOver) {
      return;
    }
    const all = [...cursors];
    const needed = Math.max(1, Math.ceil(all.length / ROOMS_OF_ONE));
    while (this.#streams.length < needed) {
      this.#streams.push(this.#make());
    }
    this.#streams.splice(needed).forEach((stream) => this.#leave(stream));
    this.#streams.forEach((stream, index) => {
      stream.open(new Map(all.slice(index * ROOMS_OF_ONE, (index + 1) * ROOMS_OF_ONE)));
    });
  }

  close() {
    this.#isOver = true;
    this.#streams.forEach((stream) => stream.close());
  }

  refresh() {
    this.#streams.forEach((stream) => stream.refresh());
  }

  check() {
    this.#streams.forEach((stream) => stream.check());
  }

  stopFor(status) {
    return this.#streams[0].stopFor(status);
  }

  #stream(options) {
    const stream = new RoomStream({
      ...options,
      on: {
        ...this.#on,
        event: (kind, event) => {
          const isOfAllRooms = event.room_id === undefined;
          if (!isOfAllRooms || stream === this.#streams[0]) {
            this.#on.event(kind, event);
          }
        },
        state: (state, since) => this.#stateChanged(stream, state, since),
      },
    });
    this.#states.set(stream, { state: "connecting" });
    return stream;
  }

  #stateChanged(stream, state, since) {
    if (state === "over" && this.#streams.length > 1) {
      this.#streams = this.#streams.filter((each) => each !== stream);
      this.#leave(stream);
      stream.rooms.forEach((roomId) => this.#on.closed(roomId));
    } else if (ENDS.includes(state)) {
      this.close();
      this.#setState(state);
    } else {
      this.#states.set(stream, { state, since });
      this.#reportWorst();
    }
  }

  #leave(stream) {
    stream.close();
    this.#states.delete(stream);
    this.#reportWorst();
  }

  #reportWorst() {
    const [worst] = [...this.#states.values()].sort((a, b) => STATES.indexOf(b.state) - STATES.indexOf(a.state));
    if (worst) {
      this.#setState(worst.state, worst.since);
    }
  }

  #setState(state, since) {
    if (state !== this.#state) {
      this.#state = state;
      this.#on.state(state, since);
    }
  }
}
