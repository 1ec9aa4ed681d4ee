// An agent's day at the phone: signing in, the phone's leg, states, and who is next for a call.
import type { AgentRow, AgentState, Moment, TelephonyDraft } from './working-set.ts';

/** How long a phone may ring before its agent is away again. */
export const phoneRingMs = 20_000;
const effectDeadlineMs = 10_000;

export interface SignIn {
  kind: 'sign-in';
  agentId: string;
  personId: string;
  extension: string;
  way: AgentRow['way'];
  campaignIds: readonly string[];
  by: string;
}

export interface SetAgentState {
  kind: 'set-agent-state';
  agentId: string;
  state: 'ready' | 'away' | 'break' | 'out';
  /** Code of the break; also the reason when the system or a supervisor sets the state. */
  code?: string | undefined;
  by: string;
  /** A requirement of the site that the person's record does not show; `ready` is refused. */
  lacks?: string | undefined;
}

export type Refusal = { done: false; why: string };
export type Outcome = { done: true } | Refusal;

const done: Outcome = { done: true };
const refuse = (why: string): Outcome => ({ done: false, why });

/** Gives an agent a seat. Refused while the extension or the agent is signed in elsewhere. */
export function signIn(draft: TelephonyDraft, event: SignIn, moment: Moment): Outcome {
  const known = draft.get('Agent', event.agentId);
  if (known && known.state !== 'out') return refuse('already-signed-in');
  for (const other of draft.all('Agent'))
    if (other.extension === event.extension && other.state !== 'out') {
      return refuse('extension-taken');
    }
  const agent: AgentRow = {
    id: event.agentId,
    personId: event.personId,
    extension: event.extension,
    way: event.way,
    campaignIds: event.campaignIds,
    state: 'away',
    code: 'signed-in',
    sinceUtcMs: moment.atUtcMs,
    legState: 'none',
  };
  draft.put('Agent', agent);
  const facts = { extension: `ext-${event.extension}`, way: event.way };
  draft.entry({ what: 'agent-signed-in', who: event.by, about: agent.id, facts });
  if (event.way === 'pre-connected') ringPhone(draft, agent, moment);
  return done;
}

/** Orders the agent's phone to be rung; it becomes the leg that calls are connected to. */
export function ringPhone(draft: TelephonyDraft, agent: AgentRow, moment: Moment): void {
  const legId = moment.newId('leg');
  const phoneUntilUtcMs = moment.atUtcMs + phoneRingMs;
  draft.put('Agent', { ...agent, legId, legState: 'ringing', phoneUntilUtcMs });
  draft.effect(moment.newId('effect'), {
    kind: 'ring-agent',
    lane: legId,
    deadlineMs: effectDeadlineMs,
    legId,
    agentId: agent.id,
    extension: agent.extension,
    ringMs: phoneRingMs,
  });
}

/** In these an agent owes something to a call: what is asked for meanwhile is done after it. */
const hasCall: readonly AgentState[] = ['reserved', 'talking', 'wrap-up'];

/** What the agent or a supervisor asks for; takes effect at once or when the call is over. */
export function setAgentState(
  draft: TelephonyDraft,
  event: SetAgentState,
  moment: Moment,
): Outcome {
  const agent = draft.get('Agent', event.agentId);
  if (!agent || agent.state === 'out') return refuse('not-signed-in');
  if (event.state === 'break' && !event.code) return refuse('break-without-code');
  if (event.state === 'ready' && event.lacks !== undefined) {
    draft.entry({ what: 'ready-refused', who: event.by, about: agent.id, why: event.lacks });
    return refuse(event.lacks);
  }
  // Whose phone is only being rung for a call owes nothing yet.
  const rung = agent.state === 'reserved' && agent.callId === undefined && event.state !== 'ready';
  if (hasCall.includes(agent.state) && !rung) {
    draft.put('Agent', { ...agent, wanted: event.state, wantedCode: event.code });
    return done;
  }
  if (event.state === 'ready') {
    becomeReady(draft, agent, event.by, moment);
    return done;
  }
  const resting = { ...agent, wanted: undefined, wantedCode: undefined };
  enter(draft, resting, event.state, event.by, moment, event.code);
  return done;
}

function becomeReady(draft: TelephonyDraft, agent: AgentRow, who: string, moment: Moment): void {
  if (agent.way === 'ring-per-call' || agent.legState === 'up') {
    if (agent.state !== 'ready') enter(draft, agent, 'ready', who, moment);
    return;
  }
  const wanting = { ...agent, wanted: 'ready' as const };
  draft.put('Agent', wanting);
  if (agent.legState === 'none') ringPhone(draft, wanting, moment);
}

/** Puts an agent into a state, with its entry; ends the leg of one who signs out. */
export function enter(
  draft: TelephonyDraft,
  agent: AgentRow,
  state: AgentState,
  who: string,
  moment: Moment,
  code?: string,
): AgentRow {
  const next: AgentRow = {
    ...agent,
    state,
    code,
    sinceUtcMs: moment.atUtcMs,
    untilUtcMs: undefined,
    callId: state === 'ready' || state === 'out' ? undefined : agent.callId,
    ...(state === agent.wanted ? { wanted: undefined, wantedCode: undefined } : {}),
  };
  draft.put('Agent', next);
  draft.entry({
    what: `agent-${state}`,
    who,
    about: agent.id,
    ...(code === undefined ? {} : { why: code }),
    facts: {
      afterMs: Math.max(0, Math.round(moment.atUtcMs - agent.sinceUtcMs)),
      was: agent.state,
    },
  });
  const resting = state === 'away' || state === 'break';
  if (state === 'out' || (resting && agent.way === 'ring-per-call')) dropLeg(draft, next, moment);
  return draft.get('Agent', agent.id) ?? next;
}

/** Ends an agent's leg on our side. */
export function dropLeg(draft: TelephonyDraft, agent: AgentRow, moment: Moment): void {
  const { legId } = agent;
  draft.put('Agent', { ...agent, legId: undefined, legState: 'none', phoneUntilUtcMs: undefined });
  if (legId === undefined) return;
  draft.effect(moment.newId('effect'), {
    kind: 'hang-up',
    lane: legId,
    deadlineMs: effectDeadlineMs,
    channelId: legId,
  });
}

/** The agent's call is over: wrap-up, or what they asked for while talking. */
export function startWrapUp(
  draft: TelephonyDraft,
  agent: AgentRow,
  wrapUpMs: number,
  moment: Moment,
): void {
  const resting = agent.way === 'ring-per-call' ? hungUp(draft, agent, moment) : agent;
  const next = enter(draft, resting, 'wrap-up', 'system', moment);
  draft.put('Agent', { ...next, untilUtcMs: moment.atUtcMs + wrapUpMs });
}

function hungUp(draft: TelephonyDraft, agent: AgentRow, moment: Moment): AgentRow {
  dropLeg(draft, agent, moment);
  return draft.get('Agent', agent.id) ?? agent;
}

/** Wrap-up or a failed reservation ended: the state asked for meanwhile, otherwise ready. */
export function free(draft: TelephonyDraft, agent: AgentRow, who: string, moment: Moment): void {
  const next: AgentRow = { ...agent, callId: undefined };
  const wanted = agent.wanted ?? 'ready';
  if (wanted !== 'ready') enter(draft, next, wanted, who, moment, agent.wantedCode);
  else if (agent.way === 'pre-connected' && agent.legState !== 'up') {
    const away = enter(draft, next, 'away', who, moment, 'phone');
    if (away.legState === 'ringing') draft.put('Agent', { ...away, wanted: 'ready' });
  } else enter(draft, next, 'ready', who, moment);
}

/** The agent's phone is on the line. */
export function legUp(draft: TelephonyDraft, legId: string, moment: Moment): AgentRow | undefined {
  const agent = agentOfLeg(draft, legId);
  if (!agent) {
    // Nobody waits for this phone any more: a line that no rule has seen must not stay open.
    draft.effect(moment.newId('effect'), {
      kind: 'hang-up',
      lane: legId,
      deadlineMs: effectDeadlineMs,
      channelId: legId,
    });
    return undefined;
  }
  const next: AgentRow = { ...agent, legState: 'up', phoneUntilUtcMs: undefined };
  draft.put('Agent', next);
  draft.entry({ what: 'phone-connected', who: 'system', about: agent.id, facts: { legId } });
  if (next.wanted === 'ready' && !hasCall.includes(next.state)) {
    return enter(draft, next, 'ready', 'system', moment);
  }
  return next;
}

/** The agent's phone left the line: they can't take calls, whatever they were doing. */
export function legEnded(
  draft: TelephonyDraft,
  legId: string,
  why: string,
  moment: Moment,
): AgentRow | undefined {
  const agent = agentOfLeg(draft, legId);
  if (!agent) return undefined;
  const legless = { legId: undefined, legState: 'none', phoneUntilUtcMs: undefined } as const;
  const next: AgentRow = { ...agent, ...legless };
  draft.put('Agent', next);
  draft.entry({ what: 'phone-lost', who: 'system', about: agent.id, why, facts: { legId } });
  const working = next.state === 'ready' || next.state === 'reserved' || next.state === 'talking';
  if (working || (next.wanted === 'ready' && next.state !== 'wrap-up')) {
    return enter(draft, { ...next, wanted: undefined }, 'away', 'system', moment, 'phone');
  }
  return next;
}

function agentOfLeg(draft: TelephonyDraft, legId: string): AgentRow | undefined {
  for (const agent of draft.all('Agent')) if (agent.legId === legId) return agent;
  return undefined;
}

/** The agent of a campaign who has been ready longest and can be connected at once. */
export function longestReady(draft: TelephonyDraft, campaignId: string): AgentRow | undefined {
  let best: AgentRow | undefined;
  for (const agent of draft.all('Agent')) {
    if (agent.state !== 'ready' || agent.legState !== 'up') continue;
    if (!agent.campaignIds.includes(campaignId)) continue;
    if (!best || agent.sinceUtcMs < best.sinceUtcMs) best = agent;
  }
  return best;
}
