/**
 * What pg_dump, pg_restore, libpq, zlib and zstd (lib/common/error_private.c) say of their own lack of memory. zstd
 * gives no reason, and zlib not always one, why it could not be initialized. The server's comes as an ERROR.
 */
export const CLIENT_OUT_OF_MEMORY = new RegExp(
  [
    'cannot allocate memory for (?:in|out)put buffer',
    'compress data: Allocation error : not enough memory$',
    String.raw`could not initialize compression library(?:: (?:insufficient memory|\(null\)))?$`,
    '^(?:(?!.*: ERROR:).*: )?out of memory$',
  ].join('|'),
  'm',
);
