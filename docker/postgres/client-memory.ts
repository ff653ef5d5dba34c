/** What pg_dump, pg_restore and libpq say of their own lack of memory. The server's comes as an ERROR. */
export const CLIENT_OUT_OF_MEMORY =
  /cannot allocate memory for (?:in|out)put buffer|^(?:(?!.*: ERROR:).*: )?out of memory$/m;
