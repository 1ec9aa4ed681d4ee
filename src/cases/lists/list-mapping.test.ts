// One number of a person however a list writes it, and none where the list knows none.
import { expect, it } from 'vitest';
import { type ListMapping, rowReader } from './list-mapping.ts';

const numbers = [{ column: 'mobile', kind: 'mobile' }] as const;
const mapping: ListMapping = {
  reference: 'case',
  people: [{ role: 'debtor', identity: 'identity', numbers }],
};
const header = { line: 1, cells: ['case', 'identity', 'mobile'] };
const read = rowReader(mapping, header, 'US', new Set());
const identityOf = (text: string) => {
  const answer = read({ line: 2, cells: ['C-1', text, '202-555-0101'] });
  return answer.ok ? answer.row.people[0]?.identity : answer.fault;
};

it.each([
  ['11010119900307001x', '11010119900307001X'],
  [' 1101 0119-9003.0700 1X ', '11010119900307001X'],
  ['１１０１０１１９９００３０７００１Ｘ', '11010119900307001X'],
  ['', undefined],
  ['000000', 'bad-identity'],
  ['111111111111111112', 'bad-identity'],
  ['unknown!', 'bad-identity'],
  ['n/a', 'bad-identity'],
  ['A1', 'bad-identity'],
])('the identity number %s is read as %s', (text, wanted) => {
  expect(identityOf(text)).toBe(wanted);
});
