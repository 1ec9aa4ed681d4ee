// Rights over rights: who may grant which role, and who may work with debtors.
import { describe, expect, it } from 'vitest';
import { lacksToBeReady, mayGrant, type PersonRow, roles } from './person.ts';

const required = ['agreement-signed', 'exam-passed', 'mock-call-passed'];
const agent: PersonRow = {
  id: 'person-1',
  name: 'Wang Wei',
  roles: ['agent'],
  state: 'active',
  sinceUtcMs: 0,
  requirements: Object.fromEntries(required.map((name) => [name, 1])),
};

describe('mayGrant', () => {
  it('lets nobody grant a role above their own', () => {
    for (const own of roles)
      for (const wanted of roles) {
        const staff = ['lead', 'agent', 'qa', 'field', 'data'].includes(wanted);
        const expected = own === 'it' || (own === 'supervisor' && staff);
        expect(mayGrant([own], [wanted]), `${own} grants ${wanted}`).toBe(expected);
      }
  });

  it('needs every one of several roles to be grantable', () => {
    expect(mayGrant(['supervisor'], ['agent', 'it'])).toBe(false);
    expect(mayGrant(['supervisor', 'lead'], ['agent', 'qa'])).toBe(true);
    expect(mayGrant(['lead'], [])).toBe(true);
  });
});

describe('lacksToBeReady', () => {
  it.each([
    ['everything recorded', agent, undefined],
    ['nobody', undefined, 'person-unknown'],
    ['gone', { ...agent, state: 'left' as const }, 'person-left'],
    ['no agent', { ...agent, roles: ['lead' as const] }, 'not-an-agent'],
    [
      'no mock call',
      { ...agent, requirements: { 'agreement-signed': 1, 'exam-passed': 1 } },
      'mock-call-passed',
    ],
    ['nothing', { ...agent, requirements: {} }, 'agreement-signed'],
  ])('%s', (_, person, lacks) => {
    expect(lacksToBeReady(person, required)).toBe(lacks);
  });

  it('asks for nothing where the site requires nothing', () => {
    expect(lacksToBeReady({ ...agent, requirements: {} }, [])).toBeUndefined();
  });
});
