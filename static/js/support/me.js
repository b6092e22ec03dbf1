/** Who is looking: the id of the user for whom the server made the page. */
export function myId() {
  return Number(document.getElementById("room").dataset.userId);
}
