/**
 * A reader of text/event-stream as the HTML standard defines it (section 9.2.6), without an EventSource: see
 * room_stream.js for what that hides.
 */
export class EventParser {
  #buffer = "";
  #isFirst = true;
  #id = "";
  #type = "";
  #data = [];

  /** The `retry:` that was last asked for, in ms; null if none was. */
  retry = null;

  /** The id that the last complete block left, be it one that says nothing else. */
  lastId = "";

  /** Takes the next piece of text, cut anywhere. Returns the events it completed, as `{ type, data, id }`. */
  push(text) {
    this.#buffer += text;
    if (this.#isFirst && this.#buffer) {
      this.#isFirst = false;
      this.#buffer = this.#buffer.replace(/^\ufeff/, "");
    }
    // A CR at the very end may be the first half of a CRLF. What follows the last line end is not a line yet: a block
    // that is cut off never becomes an event.
    const lines = this.#buffer.split(/\r\n|\n|\r(?!$)/);
    this.#buffer = lines.pop();
    return lines.map((line) => this.#take(line)).filter(Boolean);
  }

  /** Returns the event that the line completes; null if it completes none. */
  #take(line) {
    if (line === "") {
      return this.#complete();
    }
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (field === "data") {
      this.#data.push(value);
    } else if (field === "event") {
      this.#type = value;
    } else if (field === "id" && !value.includes("\0")) {
      this.#id = value;
    } else if (field === "retry" && /^[0-9]+$/.test(value)) {
      this.retry = Number(value);
    }
    return null;
  }

  #complete() {
    this.lastId = this.#id;
    const event = { type: this.#type || "message", data: this.#data.join("\n"), id: this.#id };
    const hasData = this.#data.length > 0;
    this.#type = "";
    this.#data = [];
    return hasData ? event : null;
  }
}
