/** Retries of the SDK for calls that take long in all: being throttled for a while must not end them. */
export const PATIENT = { retryMode: 'adaptive', maxAttempts: 10 } as const;
