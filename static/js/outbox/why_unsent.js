import { texts } from "../support/texts.js";

/** The reason why an entry of the outbox was not sent yet, in words for its writer. */
export function whyUnsent({ refusal, isLate, isHeldBack }) {
  if (refusal) {
    return refusal.status === 401 ? texts.notSentSignedOut : texts.notSent(refusal.reason);
  }
  if (isHeldBack) {
    return texts.heldBack;
  }
  return isLate ? texts.waitingToSend : texts.sending;
}
