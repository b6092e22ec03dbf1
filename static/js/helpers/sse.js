// A reader of text/event-stream, as the HTML standard defines it (section 9.2.6).
//
// The page does not use EventSource: that hides the heartbeats and the status, and gives up for good on any answer but
// 200. A page that shall never silently stop listening has to see all three.

export class EventParser {
  #buffer = "";
  #data = [];
  #type = "";
  #started = false;

  /** `onEvent({type, data, id})`; `onRetry(milliseconds)`. */
  constructor({ lastEventId = "", onEvent, onRetry }) {
    this.lastEventId = lastEventId;
    this.id = lastEventId;
    this.onEvent = onEvent;
    this.onRetry = onRetry;
  }

  /** Takes the next piece of text, cut anywhere. A block that never ends never counts, nor does its id. */
  push(text) {
    this.#buffer += text;
    if (!this.#started && this.#buffer) {
      this.#started = true;
      this.#buffer = this.#buffer.replace(/^\ufeff/, "");
    }
    // A CR at the very end may be the first half of a CRLF.
    let end;
    while ((end = /\r\n|\n|\r(?!$)/.exec(this.#buffer))) {
      const line = this.#buffer.slice(0, end.index);
      this.#buffer = this.#buffer.slice(end.index + end[0].length);
      this.#take(line);
    }
  }

  #take(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#type = value;
    else if (field === "id" && !value.includes("\0")) this.id = value;
    else if (field === "retry" && /^[0-9]+$/.test(value)) this.onRetry(Number(value));
  }

  #dispatch() {
    this.lastEventId = this.id;
    const event = { type: this.#type || "message", data: this.#data.join("\n"), id: this.id };
    const hasData = this.#data.length > 0;
    this.#data = [];
    this.#type = "";
    if (hasData) this.onEvent(event);
  }
}
