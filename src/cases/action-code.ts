// Action codes (行动码): what an agent states after a contact, and what follows from it.
import type { StopReason } from './case.ts';

export interface ActionCode {
  readonly zh: string;
  readonly en: string;
  /** Who was spoken to. */
  readonly reached: 'debtor' | 'other' | 'nobody';
  /** A person was spoken to and the matter was raised, so the conversation counts. */
  readonly effective: boolean;
  /** What has to be stated with it. */
  readonly needs?: 'callback' | 'promise';
  /** The case stops at once, for this reason. */
  readonly stops?: StopReason;
  /** What becomes of the number. */
  readonly number?: 'invalid' | 'stopped';
  /** The person spoken to is not contacted again; the case itself goes on. */
  readonly refusesPerson?: true;
}

/** Every code. The names are stable: they stand in the ledger. */
export const actionCodes = {
  'promise-to-pay': {
    zh: '承诺还款',
    en: 'Promises to pay',
    reached: 'debtor',
    effective: true,
    needs: 'promise',
  },
  'says-paid': {
    zh: '声称已还',
    en: 'Says it is paid',
    reached: 'debtor',
    effective: true,
    stops: 'paid',
  },
  'will-not-pay': { zh: '拒绝还款', en: 'Will not pay', reached: 'debtor', effective: true },
  'can-not-pay': { zh: '无力还款', en: 'Can not pay', reached: 'debtor', effective: true },
  negotiating: { zh: '协商中', en: 'Negotiates terms', reached: 'debtor', effective: true },
  'call-back': {
    zh: '约定回拨',
    en: 'Asks to be called back',
    reached: 'debtor',
    effective: true,
    needs: 'callback',
  },
  'hung-up': { zh: '接通后挂断', en: 'Hung up', reached: 'debtor', effective: true },
  'message-left': { zh: '他人转告', en: 'Message left', reached: 'other', effective: false },
  'other-refuses': {
    zh: '第三方拒绝联系',
    en: 'Third person refuses contact',
    reached: 'other',
    effective: false,
    refusesPerson: true,
  },
  'wrong-number': {
    zh: '号码非本人',
    en: 'Wrong number',
    reached: 'other',
    effective: false,
    number: 'invalid',
  },
  'no-such-number': {
    zh: '空号',
    en: 'No such number',
    reached: 'nobody',
    effective: false,
    number: 'invalid',
  },
  'switched-off': { zh: '关机或停机', en: 'Switched off', reached: 'nobody', effective: false },
  'no-answer': { zh: '无人接听', en: 'No answer', reached: 'nobody', effective: false },
  busy: { zh: '占线', en: 'Busy', reached: 'nobody', effective: false },
  machine: { zh: '语音信箱', en: 'Answering machine', reached: 'nobody', effective: false },
  'not-this-number': {
    zh: '要求停拨此号',
    en: 'Not on this number',
    reached: 'debtor',
    effective: true,
    number: 'stopped',
  },
  disputes: {
    zh: '异议',
    en: 'Disputes the debt',
    reached: 'debtor',
    effective: true,
    stops: 'disputed',
  },
  complains: {
    zh: '投诉',
    en: 'Complains',
    reached: 'debtor',
    effective: true,
    stops: 'complained',
  },
  refuses: {
    zh: '拒绝联系',
    en: 'Refuses all contact',
    reached: 'debtor',
    effective: true,
    stops: 'refused',
  },
  died: { zh: '身故', en: 'Has died', reached: 'other', effective: true, stops: 'dead' },
  'in-prison': {
    zh: '服刑',
    en: 'Is in prison',
    reached: 'other',
    effective: true,
    stops: 'in-prison',
  },
  defrauded: {
    zh: '被骗或盗用',
    en: 'Was defrauded or robbed',
    reached: 'debtor',
    effective: true,
    stops: 'defrauded',
  },
  ill: { zh: '重病', en: 'Is gravely ill', reached: 'debtor', effective: true, stops: 'ill' },
  'at-risk': {
    zh: '有自伤或极端风险',
    en: 'Is at risk',
    reached: 'debtor',
    effective: true,
    stops: 'at-risk',
  },
} as const satisfies Record<string, ActionCode>;

export type ActionCodeName = keyof typeof actionCodes;

/** What an agent states after a contact. */
export interface ActionStatement {
  readonly code: string;
  /** `own`: the agent who agreed it wants to keep it. */
  readonly callback?: { readonly dueUtcMs: number; readonly own: boolean } | undefined;
  readonly promise?: { readonly amountMinor: number; readonly dueUtcMs: number } | undefined;
}

export type ActionOutcome =
  | { accepted: true; code: ActionCode; name: ActionCodeName }
  | { accepted: false; reason: 'unknown-code' | 'callback-missing' | 'promise-missing' | 'past' };

/** Checks a statement against its code: a promise needs its day, a call-back its time. */
export function readAction(statement: ActionStatement, atUtcMs: number): ActionOutcome {
  if (!Object.hasOwn(actionCodes, statement.code))
    return { accepted: false, reason: 'unknown-code' };
  const name = statement.code as ActionCodeName;
  const code: ActionCode = actionCodes[name];
  const { callback, promise } = statement;
  if (code.needs === 'callback' && !callback)
    return { accepted: false, reason: 'callback-missing' };
  if (code.needs === 'promise' && !promise) return { accepted: false, reason: 'promise-missing' };
  const due = [callback?.dueUtcMs, promise?.dueUtcMs];
  if (due.some((each) => each !== undefined && each <= atUtcMs))
    return { accepted: false, reason: 'past' };
  return { accepted: true, code, name };
}
