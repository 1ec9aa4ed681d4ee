// Agents of several campaigns: each counts for one at a time, and nobody is promised twice.
import { describe, expect, it } from 'vitest';
import { seededIds } from '../ids.ts';
import { type Claimant, type DealtAgent, dealAgents, neededAgents } from './dealing.ts';

const claimant = (id: string, more: Partial<Claimant> = {}): Claimant => ({
  ...{ id, needs: 0, isOpen: true, askedUtcMs: 0, ...more },
});
const agent = (id: string, campaignIds = ['one', 'two'], isReady = true): DealtAgent => ({
  ...{ id, campaignIds, isReady },
});
const agents = (count: number) => Array.from({ length: count }, (_, at) => agent(`agent-${at}`));
const countsOf = (dealt: ReadonlyMap<string, string>) => {
  const counts: Record<string, number> = {};
  for (const campaignId of dealt.values()) counts[campaignId] = (counts[campaignId] ?? 0) + 1;
  return counts;
};

describe('dealing agents to campaigns', () => {
  it.each<[string, DealtAgent[], Claimant[], Record<string, number>]>([
    ['in equal parts', agents(6), [claimant('one'), claimant('two')], { one: 3, two: 3 }],
    [
      'to calls on the way first',
      agents(1),
      [claimant('one'), claimant('two', { needs: 1 })],
      { two: 1 },
    ],
    [
      'beyond the equal part too',
      agents(4),
      [claimant('one', { needs: 3 }), claimant('two')],
      { one: 3, two: 1 },
    ],
    [
      'to whoever may dial',
      agents(2),
      [claimant('one', { isOpen: false }), claimant('two')],
      { two: 2 },
    ],
    [
      'in turn',
      agents(1),
      [claimant('one', { askedUtcMs: 9 }), claimant('two', { askedUtcMs: 5 })],
      { two: 1 },
    ],
    ['to nobody who is not there', [agent('a', ['three'])], [claimant('one')], {}],
  ])('%s', (_, shared, claimants, counts) => {
    expect(countsOf(dealAgents(shared, claimants))).toEqual(counts);
  });

  it('leaves shared agents to whom has none of its own', () => {
    const own = [agent('z1', ['one']), agent('z2', ['one'])];
    const dealt = dealAgents([...agents(2), ...own], [claimant('one'), claimant('two')]);
    expect(countsOf(dealt)).toEqual({ one: 2, two: 2 });
  });

  it('meets the needs of calls by agents who are ready', () => {
    const dealt = dealAgents(
      [agent('busy', ['one'], false), agent('ready')],
      [claimant('one', { needs: 1 }), claimant('two')],
    );
    expect(dealt.get('ready')).toBe('one');
  });

  it('does not depend on the order of the rows, and deals each agent once', () => {
    const random = seededIds(9);
    for (let round = 0; round < 200; round += 1) {
      const pick = (below: number) => random.below(below);
      const claimants = ['one', 'two', 'three'].map((id) =>
        claimant(id, { needs: pick(4), isOpen: pick(3) > 0, askedUtcMs: pick(5) }),
      );
      const crew = Array.from({ length: pick(9) }, (_, at) =>
        agent(
          `a${at}`,
          ['one', 'two', 'three'].filter(() => pick(2) > 0),
          pick(2) > 0,
        ),
      );
      const dealt = dealAgents(crew, claimants);
      const again = dealAgents([...crew].reverse(), [...claimants].reverse());
      expect([...again].sort()).toEqual([...dealt].sort());
      for (const { id, campaignIds } of crew) {
        const campaignId = dealt.get(id);
        expect(campaignId === undefined ? campaignIds : campaignIds.includes(campaignId)).toEqual(
          campaignId === undefined ? [] : true,
        );
      }
    }
  });
});

describe('agents that calls on the way need', () => {
  it.each([
    [0, 0, 1, 0],
    [3, 0, 1, 3],
    [3, 2, 1, 5],
    [10, 0, 0.3, 5],
    [1, 0, 0.1, 1],
    [5, 0, 0, 0],
  ])('%i ringing, %i waiting, %f answered: %i', (ringing, waiting, share, needs) => {
    expect(neededAgents(ringing, waiting, share)).toBe(needs);
  });
});
