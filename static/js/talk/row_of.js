/** The row that an element of the page is part of; undefined for one that the server does not know, or that is none. */
export function rowOf(messages, element) {
  const id = element?.closest?.("li.message")?.dataset.id;
  return id && messages.find(id);
}
