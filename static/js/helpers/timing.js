// Waiting, with bounds and with jitter.

/** Resolves after so many milliseconds, or at once when the signal is aborted. Never rejects. */
export function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
  });
}

/**
 * How long to wait before the next attempt, in milliseconds: exponential backoff with full jitter, so that those who
 * lost the same server do not come back at the same moment.
 */
export function backoff(attempt, base = 1000, cap = 30000) {
  return Math.random() * Math.min(cap, base * 2 ** attempt);
}
