// Checks a request's bearer token in constant time: the time does not tell how much of a wrong token is right.

const encoder = new TextEncoder();
/** @param {string} text */
const digest = async (text) => new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)));

/**
 * @param {string | null | undefined} header the Authorization header; its scheme is in any case (RFC 9110, 11.1)
 * @param {string} token
 */
export async function isAuthorized(header, token) {
  const given = /^bearer +(\S.*)$/i.exec(header ?? '')?.[1];
  if (given === undefined) return false;
  // Digests have equal lengths, and where two digests differ says nothing about the texts.
  const [a, b] = await Promise.all([given, token].map(digest));
  return a.reduce((difference, byte, i) => difference | (byte ^ b[i]), 0) === 0;
}
