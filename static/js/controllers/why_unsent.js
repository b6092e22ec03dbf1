import { texts } from "../texts.js";

/** Why an entry of the outbox was not sent yet, for its writer to read. */
export function whyUnsent({ refusal, isLate }) {
  if (refusal) {
    return { 401: texts.notSentSignedOut, 409: texts.notSentSomebodyElse }[refusal.status] ?? texts.notSent(refusal.reason);
  }
  return isLate ? texts.waitingToSend : texts.sending;
}
