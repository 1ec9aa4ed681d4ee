// Who a person is on the floor: roles, what the site requires of them, and who may grant what.
import type { Row } from '../draft.ts';

export const roles = [
  'it',
  'security',
  'supervisor',
  'lead',
  'agent',
  'qa',
  'field',
  'data',
  'auditor',
] as const;
export type Role = (typeof roles)[number];

/** A person's record. The name stands here only; entries, logs and metrics know the id. */
export interface PersonRow extends Row {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly state: 'active' | 'left';
  /** Since when they are in this state. */
  readonly sinceUtcMs: number;
  /** What was recorded of the site's requirements: name → when. */
  readonly requirements: Readonly<Record<string, number>>;
}

/** Somebody who proved who they are, with the rights they have at this moment. */
export interface Actor {
  readonly personId: string;
  readonly tokenId: string;
  readonly kind: 'session' | 'api';
  readonly roles: readonly Role[];
  /** What stands as `who` in entries: the person, or the token by which a program spoke. */
  readonly who: string;
}

/** A refusal is data: the code of the rule that decided it. */
export type Refusal = { done: false; why: string };
export type Outcome<T = object> = ({ done: true } & T) | Refusal;

export const refuse = (why: string): Refusal => ({ done: false, why });

// It adds people and their rights, the supervisor staffs the floor. A right that could be used to
// look at or change the account itself (it, security, supervisor, auditor) is granted by it alone.
const granted: Readonly<Partial<Record<Role, readonly Role[]>>> = {
  it: roles,
  supervisor: ['lead', 'agent', 'qa', 'field', 'data'],
};

/** Whether somebody with these roles may give, take away or act on a person with those. */
export function mayGrant(own: readonly Role[], wanted: readonly Role[]): boolean {
  return wanted.every((role) => own.some((mine) => granted[mine]?.includes(role)));
}

/**
 * Why a person may not take calls now, or undefined when they may. `required`: the names of what
 * the site requires before a person works with debtors (agreement, exam, mock call).
 */
export function lacksToBeReady(
  person: PersonRow | undefined,
  required: readonly string[],
): string | undefined {
  if (person === undefined) return 'person-unknown';
  if (person.state === 'left') return 'person-left';
  if (!person.roles.includes('agent')) return 'not-an-agent';
  return required.find((name) => person.requirements[name] === undefined);
}
