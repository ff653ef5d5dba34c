/**
 * What pg_dump, pg_restore, libpq, zlib and zstd (lib/common/error_private.c) say of their own lack of memory. Of zstd,
 * pg_dump gives no other reason why it could not be initialized. The server's comes as an ERROR.
 */
export const CLIENT_OUT_OF_MEMORY = new RegExp(
  [
    'cannot allocate memory for (?:in|out)put buffer',
    'compress data: Allocation error : not enough memory$',
    'could not initialize compression library(?:: insufficient memory)?$',
    '^(?:(?!.*: ERROR:).*: )?out of memory$',
  ].join('|'),
  'm',
);
