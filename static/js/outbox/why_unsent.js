import { texts } from "../support/texts.js";

/** Why an entry of the outbox was not sent yet, for its writer to read. */
export function whyUnsent({ refusal, isLate, isHeldBack }) {
  if (refusal) {
    return refusal.status === 401 ? texts.notSentSignedOut : texts.notSent(refusal.reason);
  }
  if (isHeldBack) {
    return texts.heldBack;
  }
  return isLate ? texts.waitingToSend : texts.sending;
}
