/** The values that the server put into the page. */

/** The element inside the `<template>` of that id, ready to be filled in. Markup lives in the page, never in strings. */
export function fromTemplate(id) {
  return document.importNode(document.getElementById(id).content, true).firstElementChild;
}

/** The id of the user for whom the server rendered the page. */
export function myId() {
  return Number(document.getElementById("room").dataset.userId);
}
