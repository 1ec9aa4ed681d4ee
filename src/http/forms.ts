// Pieces of the schemas by which the API judges what comes in: ids, codes, text, times, pages.
import Type, { type Static, type TProperties, type TSchema } from 'typebox';
import { maxIdChars } from '../audit/entry.ts';
import { roles } from '../people/person.ts';
import { pageLimit } from '../store/history.ts';

/** An object without any other key: whatever we do not know is refused. */
export const exactly = <T extends TProperties>(properties: T, description?: string) =>
  Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  });

export const listOf = <T extends TSchema>(item: T, maxItems: number, description?: string) =>
  Type.Array(item, { maxItems, ...(description === undefined ? {} : { description }) });

/** What may stand in the ledger; app.ts has audit/entry.ts judge every text of this format. */
export const idFormat = 'entry-id';
export const Id = Type.String({
  format: idFormat,
  maxLength: maxIdChars,
  description:
    'An id: letters and digits, joined by single `-`, `.`, `_` or `:`. Seven digits that stand ' +
    'alone could be a telephone or card number and are refused.',
});

/** Codes have no digits, so that no number of a person can pass for one. */
export const Code = Type.String({
  pattern: '^[a-z]+(?:-[a-z]+)*$',
  maxLength: 48,
  description: 'A code in kebab case.',
});

/** Text that a person wrote: something to see, no control characters, no halves of characters. */
export const textOf = (maxLength: number, description: string) =>
  Type.String({
    pattern: '^(?=.*\\S)[^\\p{Cc}\\p{Cs}]+$',
    minLength: 1,
    maxLength,
    description,
  });

export const UtcMs = Type.Integer({
  minimum: 0,
  maximum: 8_640_000_000_000_000,
  description: 'Milliseconds since 1970-01-01T00:00:00Z.',
});

/** ITU-T E.164: plus sign, country code, at most 15 digits. */
export const E164 = Type.String({
  pattern: '^\\+[1-9][0-9]{6,14}$',
  description: 'A telephone number in E.164 form.',
});

export const RoleForm = Type.Enum([...roles]);
export const Roles = Type.Array(RoleForm, { maxItems: roles.length, uniqueItems: true });

/** Reasons have to say something, and are kept beside the entry, not in it. */
export const Reason = textOf(500, 'Why, in a few words; it is kept.');

/** A whole number in an address, which is text; nothing is coerced by the validator. */
export const digits = (description: string) =>
  Type.String({ pattern: '^(?:0|[1-9][0-9]{0,14})$', description });

export const pageKeys = {
  after: Type.Optional(Id),
  limit: Type.Optional(digits(`Rows of the answer, at most ${pageLimit}.`)),
};

/** The page that a query asks for. */
export function pageOf(query: { after?: string; limit?: string }) {
  return { after: query.after, limit: limitOf(query.limit) };
}

export function limitOf(text: string | undefined): number {
  return text === undefined ? 50 : Math.min(Math.max(1, Number(text)), pageLimit);
}

export const numberOf = (text: string | undefined) =>
  text === undefined ? undefined : Number(text);

export type { Static };
