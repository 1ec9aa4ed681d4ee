// Every invariant that a simulated day is held against.
import type { Invariant } from './checker.ts';
import { chainVerifies, countsAreTheLedgers, effectsEndOnce } from './checkers/account.ts';
import { agentsAreFree, feedComesBack, workGoesOn } from './checkers/agents.ts';
import {
  callsEndOnce,
  networkAgrees,
  oneCustomerPerAgent,
  servedInTime,
} from './checkers/calls.ts';
import { oneCallPerPermit, permitBeforeCall, stoppedIsSilent } from './checkers/permits.ts';
import { everyAnswerRecorded, sealedBeforeRemoved } from './checkers/recordings.ts';
import { capsHold, hoursHold, noPredictiveOverCap } from './checkers/rules.ts';

export const invariants: readonly Invariant[] = [
  ...[permitBeforeCall, oneCallPerPermit, stoppedIsSilent, capsHold, hoursHold],
  ...[noPredictiveOverCap, callsEndOnce, networkAgrees, servedInTime, oneCustomerPerAgent],
  ...[everyAnswerRecorded, sealedBeforeRemoved, agentsAreFree, feedComesBack, workGoesOn],
  ...[chainVerifies, countsAreTheLedgers, effectsEndOnce],
];
