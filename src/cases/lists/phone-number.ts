// Telephone numbers as people write them, into E.164; the only importer of libphonenumber-js.
import { isSupportedCountry, ParseError, parsePhoneNumberWithError } from 'libphonenumber-js/max';

export type NumberFault = 'not-a-number' | 'extension' | 'invalid-number' | 'premium-rate';

export type NumberAnswer =
  | { readonly ok: true; readonly e164: string }
  | { readonly ok: false; readonly fault: NumberFault };

/** Is this an ISO 3166 code of a region whose numbers are known? */
export function isRegion(region: string): boolean {
  return isSupportedCountry(region);
}

// Left behind by spreadsheets and web pages around a number: marks that have no width.
const invisible = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/**
 * Reads one number. Strict: the whole text has to be the number, and the number has to be one that
 * its country assigns. Without a country code it belongs to `defaultRegion` (ISO 3166).
 */
export function readNumber(text: string, defaultRegion: string): NumberAnswer {
  if (!isSupportedCountry(defaultRegion)) throw new Error(`no such region: ${defaultRegion}`);
  const cleaned = text.replace(invisible, '').trim();
  // RFC 3966 parameters and vanity letters are forms of other places than a list.
  if (/[;:=a-z]/i.test(cleaned.replace(/\s*(?:ext\.?|x)\s*\d+$/i, '')))
    return { ok: false, fault: 'not-a-number' };
  try {
    const number = parsePhoneNumberWithError(cleaned, {
      defaultCountry: defaultRegion,
      extract: false,
    });
    // A dialer can't reach an extension; the main number alone would reach somebody else.
    if (number.ext !== undefined) return { ok: false, fault: 'extension' };
    if (!number.isValid()) return { ok: false, fault: 'invalid-number' };
    if (number.getType() === 'PREMIUM_RATE') return { ok: false, fault: 'premium-rate' };
    return { ok: true, e164: number.number };
  } catch (cause) {
    if (cause instanceof ParseError) return { ok: false, fault: 'not-a-number' };
    throw cause;
  }
}
