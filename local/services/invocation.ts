/** An error in the format in which Lambda returns it to the caller. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[] | undefined;
}

export type InvocationResult =
  { readonly kind: 'returned'; readonly payload: unknown } | { readonly kind: 'failed'; readonly error: FunctionError };
