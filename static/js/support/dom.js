/** The element inside the `<template>` of that id, ready to be filled in. Markup lives in the page, never in strings. */
export function fromTemplate(id) {
  return document.importNode(document.getElementById(id).content, true).firstElementChild;
}
