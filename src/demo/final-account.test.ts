// When the demo has failed: one case for each thing that its account must not let pass.
import { expect, it } from 'vitest';
import { type DemoAccount, disagreements } from './final-account.ts';

const ids = (...some: string[]) => new Set(some);
/** Two calls, of which one was answered. */
const sound: DemoAccount = {
  carrier: { dialed: ['+12025550119', '+12025550122'], answered: ['+12025550119'] },
  asterisk: { dialed: ids('call-a', 'call-b'), answered: ids('call-a') },
  ledger: { dialed: ids('call-b', 'call-a'), answered: ids('call-a'), sealed: ids('call-a') },
  vault: ids('call-a'),
  numbers: new Map([
    ['call-a', '+12025550119'],
    ['call-b', '+12025550122'],
  ]),
  settledLeads: 19,
  conversations: 1,
  ...{ sound: 1, faults: 0 },
};
const { carrier, asterisk, ledger } = sound;

it('lets a demo pass in which everybody says the same', () => {
  expect(disagreements(sound, 20)).toEqual([]);
});

it.each<[string, Partial<DemoAccount>]>([
  [
    'dialed by Asterisk and the ledger (2 and 2): call-c call-b',
    { asterisk: { ...asterisk, dialed: ids('call-a', 'call-c') } },
  ],
  [
    'answered by Asterisk and the ledger (1 and 1): call-b call-a',
    { asterisk: { ...asterisk, answered: ids('call-b') } },
  ],
  [
    'dialed by carrier and ledger (3 and 2): +12025550122',
    { carrier: { ...carrier, dialed: [...carrier.dialed, '+12025550122'] } },
  ],
  [
    'answered by carrier and ledger (0 and 1): +12025550119',
    { carrier: { ...carrier, answered: [] } },
  ],
  [
    'answered and recorded (1 and 0): call-a',
    { ledger: { ...ledger, sealed: ids() }, vault: ids(), sound: 0 },
  ],
  ['recorded and in the vault (1 and 0): call-a', { vault: ids(), sound: 0 }],
  ['0 of 1 objects are sound', { sound: 0 }],
  ['verification found 1 faults', { faults: 1 }],
  ['no call reached an agent', { conversations: 0 }],
  ['only 18 of 20 leads were called or withheld by a rule', { settledLeads: 18 }],
])('%s', (said, changed) => {
  expect(disagreements({ ...sound, ...changed }, 20)).toEqual([said]);
});
