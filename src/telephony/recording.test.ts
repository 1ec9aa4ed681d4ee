// Legs are judged against the span of the call, and dialing stops and starts clear of its limits.
import { describe, expect, it } from 'vitest';
import { seededIds } from '../ids.ts';
import {
  crashLossMs,
  judgeLegs,
  judgeRoom,
  type LegState,
  type LegsJudgement,
  quarantineReasons,
  toleranceMs,
} from './recording.ts';

const ofMs = (state: 'open' | 'closed', ms: number): LegState => ({ state, samples: ms * 8 });
const closed = (ms: number) => ofMs('closed', ms);
const open = (ms: number) => ofMs('open', ms);
const quarantine = (why: keyof typeof quarantineReasons): LegsJudgement => ({
  verdict: 'quarantine',
  why,
});
const notFinished: LegsJudgement = { verdict: 'not-finished' };
const sound = (customerMs: number, agentMs: number, lostMs = 0, repaired = false) => ({
  verdict: 'sound',
  customerSamples: customerMs * 8,
  agentSamples: agentMs * 8,
  durationMs: Math.max(customerMs, agentMs),
  repaired,
  lostMs,
});

describe('judgeLegs', () => {
  const absent: LegState = { state: 'absent' };
  const broken: LegState = { state: 'broken' };
  const lying: LegState = { state: 'lying' };
  const cases: [string, LegState, LegState, number, boolean, unknown][] = [
    ['both as long as the call', closed(5_000), closed(5_000), 5_000, false, sound(5_000, 5_000)],
    ['no leg', absent, absent, 5_000, false, quarantine('both-legs-missing')],
    ['no customer', absent, closed(5_000), 5_000, false, quarantine('customer-leg-missing')],
    ['no agent', closed(5_000), absent, 5_000, false, quarantine('agent-leg-missing')],
    ['no agent after a crash', open(5_000), absent, 5_000, true, quarantine('agent-leg-missing')],
    ['no WAV', closed(5_000), broken, 5_000, false, quarantine('header-broken')],
    ['a wrong length', lying, closed(5_000), 5_000, false, quarantine('header-lies')],
    ['a wrong length, crashed', lying, open(5_000), 5_000, true, quarantine('header-lies')],
    ['still written', open(5_000), closed(5_000), 5_000, false, notFinished],
    ['300 ms short', closed(4_700), closed(5_000), 5_000, false, sound(4_700, 5_000)],
    ['301 ms short', closed(5_000), closed(4_699), 5_000, false, quarantine('leg-too-short')],
    ['300 ms long', closed(5_000), closed(5_300), 5_000, false, sound(5_000, 5_300)],
    ['301 ms long', closed(5_301), closed(5_000), 5_000, false, quarantine('leg-too-long')],
    [
      '1 % of ten minutes',
      closed(594_000),
      closed(606_000),
      600_000,
      false,
      sound(594_000, 606_000),
    ],
    [
      'more than 1 %',
      closed(593_999),
      closed(600_000),
      600_000,
      false,
      quarantine('leg-too-short'),
    ],
    ['hung up at once', closed(0), closed(0), 250, false, sound(0, 0)],
    ['nothing recorded', closed(0), closed(0), 301, false, quarantine('leg-too-short')],
    ['a block lost', open(4_096), open(2_048 * 2), 6_144, true, sound(4_096, 4_096, 2_048, true)],
    ['2.1 s lost', open(2_900), open(5_000), 5_000, true, sound(2_900, 5_000, 2_100, true)],
    ['more lost', open(2_899), open(5_000), 5_000, true, quarantine('lost-too-much')],
    [
      'long call, 6 s lost',
      open(594_000),
      open(600_000),
      600_000,
      true,
      quarantine('lost-too-much'),
    ],
    [
      'long call, crash, closed',
      closed(594_000),
      closed(600_000),
      600_000,
      true,
      sound(594_000, 600_000),
    ],
    [
      'crash, closed, 2 s short',
      closed(3_000),
      closed(5_000),
      5_000,
      true,
      sound(3_000, 5_000, 2_000),
    ],
    ['crash, yet closed', closed(5_000), closed(4_990), 5_000, true, sound(5_000, 4_990)],
    ['crash, too long', open(9_000), open(5_000), 5_000, true, quarantine('leg-too-long')],
    ['end not seen', closed(5_000), closed(5_300), 0, true, sound(5_000, 5_300)],
    ['end not seen, legs differ', closed(5_000), closed(5_301), 0, true, quarantine('legs-differ')],
    ['end not seen, repaired', open(4_096), open(6_144), 0, true, sound(4_096, 6_144, 2_100, true)],
    ['end not seen, lost', open(4_096), open(6_197), 0, true, quarantine('legs-differ')],
  ];
  it.each(cases)('%s', (_, customer, agent, spanMs, crashed, expected) => {
    expect(judgeLegs({ customer, agent }, spanMs, crashed)).toEqual(expected);
  });

  it.each([
    ['as long as it lasted at least', 60_000, 60_000, 60_000],
    ['a block shorter', 57_900, 57_900, 60_000],
    ['more than a block shorter', 57_899, 57_899, 60_000],
    ['one second of a minute', 1_000, 1_000, 60_000],
  ])('end not seen, repaired, %s', (_, customerMs, agentMs, leastMs) => {
    const legs = { customer: ofMs('open', customerMs), agent: ofMs('open', agentMs) };
    expect(judgeLegs(legs, 0, true, leastMs)).toEqual(
      leastMs - customerMs > crashLossMs
        ? quarantine('lost-too-much')
        : expect.objectContaining({ verdict: 'sound' }),
    );
  });

  it('end not seen, files closed: what is missing is no unwritten block', () => {
    const legs = { customer: closed(59_000), agent: closed(59_000) };
    expect(judgeLegs(legs, 0, true, 60_000)).toEqual(quarantine('lost-too-much'));
    expect(judgeLegs(legs, 0, true, 59_300)).toMatchObject({ verdict: 'sound' });
  });

  it('reaches every quarantine reason', () => {
    const reached = new Set(
      cases.flatMap(([, customer, agent, spanMs, crashed]) => {
        const judged = judgeLegs({ customer, agent }, spanMs, crashed);
        return judged.verdict === 'quarantine' ? [judged.why] : [];
      }),
    );
    expect([...reached].sort()).toEqual(Object.keys(quarantineReasons).sort());
  });

  it('seals no leg off by more than the tolerance, and all that keep it', () => {
    const { below } = seededIds(7);
    for (let run = 0; run < 5_000; run += 1) {
      const spanMs = 1 + below(900_000);
      const allowedMs = toleranceMs(spanMs);
      const customerMs = Math.max(0, spanMs - 8_000 + below(16_000));
      const agentMs = Math.max(0, spanMs - 8_000 + below(16_000));
      const crashed = below(2) === 1;
      const repaired = crashed && below(2) === 1;
      const mayLackMs = repaired
        ? crashLossMs
        : crashed
          ? Math.max(allowedMs, crashLossMs)
          : allowedMs;
      const keeps = [customerMs, agentMs].every(
        (ms) => ms - spanMs <= allowedMs && spanMs - ms <= mayLackMs,
      );
      const legs = {
        customer: closed(customerMs),
        agent: ofMs(repaired ? 'open' : 'closed', agentMs),
      };
      const judged = judgeLegs(legs, spanMs, crashed);
      expect(judged.verdict).toBe(keeps ? 'sound' : 'quarantine');
      if (judged.verdict === 'sound') expect(judged.lostMs).toBeLessThanOrEqual(crashLossMs);
    }
  });
});

describe('judgeRoom', () => {
  const limits = { minSpoolHours: 10, minVaultHours: 100, maxUnsealed: 500 };
  const cases: [string, boolean, number, number, number, unknown][] = [
    ['all free', true, 10, 100, 500, { mayDial: true }],
    ['spool short', true, 9.9, 100, 0, { mayDial: false, why: 'spool-short' }],
    ['vault short', true, 10, 99.9, 0, { mayDial: false, why: 'vault-short' }],
    ['many unsealed', true, 10, 100, 501, { mayDial: false, why: 'unsealed-many' }],
    ['stopped, spool barely free', false, 11.9, 200, 0, { mayDial: false, why: 'spool-short' }],
    ['stopped, vault barely free', false, 20, 119, 0, { mayDial: false, why: 'vault-short' }],
    ['stopped, still many', false, 20, 200, 401, { mayDial: false, why: 'unsealed-many' }],
    ['stopped, clear again', false, 12, 120, 400, { mayDial: true }],
  ];
  it.each(cases)('%s', (_, before, spoolHours, vaultHours, unsealed, expected) => {
    expect(judgeRoom(before, { spoolHours, vaultHours, unsealed }, limits)).toEqual(expected);
  });
});
