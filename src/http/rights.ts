// Who may do what: the one table of routes and roles. A route that is not in it is denied to all.
import type { Actor, Role } from '../people/person.ts';
import { roles } from '../people/person.ts';

/** all: whatever the route reaches · own: only what belongs to the person who asks. */
export type Reach = 'all' | 'own';
export type Grants = Readonly<Partial<Record<Role, Reach>>>;

/** open: without login · loopback: without login from this machine, else by role. */
export type Access = 'open' | { readonly loopback?: true; readonly by: Grants };

const grants = (all: readonly Role[], own: readonly Role[] = []): Access => ({
  by: Object.fromEntries([
    ...own.map((role) => [role, 'own'] as const),
    ...all.map((role) => [role, 'all'] as const),
  ]),
});

const everybody = grants([], roles);
const floorLeads = ['supervisor', 'lead'] as const;
const staffing = ['it', 'supervisor'] as const;

export const rights: Readonly<Record<string, Access>> = {
  'GET /livez': 'open',
  'GET /readyz': 'open',
  'GET /healthz': grants(['it', 'security', 'supervisor']),
  'GET /metrics': { loopback: true, by: { it: 'all' } },

  // The description of the API holds nothing of the site.
  'GET /api/docs': 'open',
  'GET /api/docs/': 'open',
  'GET /api/docs/json': 'open',
  'GET /api/docs/yaml': 'open',
  'GET /api/docs/static/*': 'open',
  'GET /api/docs/static/index.html': 'open',
  'GET /api/docs/static/swagger-initializer.js': 'open',

  'POST /api/login': 'open',
  'POST /api/enrol': 'open',
  'DELETE /api/session': everybody,
  'GET /api/me': everybody,
  'PUT /api/me/password': everybody,

  'GET /api/people': grants(['it', 'supervisor', 'lead', 'auditor']),
  'POST /api/people': grants(staffing),
  'GET /api/people/:personId': grants(['it', 'supervisor', 'lead', 'auditor'], roles),
  'PUT /api/people/:personId/roles': grants(staffing),
  'POST /api/people/:personId/requirements': grants(['supervisor', 'lead', 'qa']),
  'POST /api/people/:personId/requirements/:requirement/withdraw': grants([
    'supervisor',
    'lead',
    'qa',
  ]),
  'POST /api/people/:personId/code': grants(staffing),
  'POST /api/people/:personId/leave': grants(staffing),
  'GET /api/tokens': grants(['it', 'auditor'], roles),
  'POST /api/tokens': grants([], ['it', 'supervisor', 'data', 'auditor']),
  'DELETE /api/tokens/:tokenId': grants(['it'], roles),

  'GET /api/agents': grants(['it', ...floorLeads], ['agent']),
  'POST /api/agents/:agentId/sign-in': grants(floorLeads, ['agent']),
  'POST /api/agents/:agentId/sign-out': grants(floorLeads, ['agent']),
  'PUT /api/agents/:agentId/state': grants(floorLeads, ['agent']),
  'POST /api/calls': grants([], ['agent']),
  'POST /api/calls/:callId/hang-up': grants([], ['agent']),
  'POST /api/calls/:callId/disposition': grants([], ['agent']),
  'GET /api/calls': grants([...floorLeads, 'qa', 'auditor'], ['agent']),
  'GET /api/calls/:callId': grants([...floorLeads, 'qa', 'auditor'], ['agent']),
  'GET /api/creditors': grants(['it', ...floorLeads, 'data', 'auditor']),
  'PUT /api/creditors/:creditorId': grants(staffing),
  'GET /api/campaigns': grants(['it', ...floorLeads, 'auditor'], ['agent']),
  'PUT /api/campaigns/:campaignId': grants(staffing),
  'PUT /api/campaigns/:campaignId/state': grants(['supervisor']),
  'PUT /api/campaigns/:campaignId/settings': grants(['supervisor']),

  'GET /api/floor': grants(['it', ...floorLeads], ['agent']),
  'GET /api/live': grants(['it', ...floorLeads], ['agent']),
  'GET /api/alarms': grants(['it', 'security', ...floorLeads]),
  'POST /api/alarms/:alarmId/acknowledge': grants(['it', 'security', 'supervisor']),

  'GET /api/cases': grants([...floorLeads, 'data', 'auditor'], ['agent']),
  'GET /api/cases/:caseId': grants([...floorLeads, 'qa', 'auditor'], ['agent', 'field']),
  'POST /api/cases/:caseId/stop': grants([...floorLeads, 'data', 'qa'], ['agent', 'field']),
  'POST /api/cases/:caseId/lift-stop': grants(['supervisor']),
  'POST /api/cases/:caseId/erase': grants(['supervisor']),
  'PUT /api/cases/:caseId/allocation': grants(floorLeads),
  'PUT /api/cases/:caseId/numbers/:numberId/wishes': grants(floorLeads, ['agent', 'field']),
  'POST /api/cases/:caseId/release': grants(['supervisor']),
  'GET /api/cases/:caseId/contacts': grants([...floorLeads, 'qa', 'auditor'], ['agent']),
  'POST /api/cases/:caseId/contacts': grants([...floorLeads, 'field', 'data']),

  'GET /api/batches': grants([...floorLeads, 'data', 'auditor']),
  'POST /api/batches/:batchId/recall': grants(['supervisor']),
  'POST /api/batches/:batchId/reopen': grants(['supervisor']),

  'GET /api/callbacks': grants(floorLeads, ['agent']),
  // What may be stated is no secret of anybody.
  'GET /api/action-codes': everybody,
  'GET /api/stop-list': grants(['supervisor', 'data']),
  'POST /api/stop-list': grants(['supervisor', 'data']),
  'POST /api/stop-list/:stopId/end': grants(['supervisor']),

  'GET /api/lists': grants(['data', 'supervisor', 'auditor']),
  'POST /api/lists': grants(['data']),
  'GET /api/lists/:listId': grants(['data', 'supervisor', 'auditor']),
  'POST /api/lists/:listId/confirm': grants(['data', 'supervisor']),
  'POST /api/lists/:listId/drop': grants(['data', 'supervisor']),
  'GET /api/lists/:listId/rejects': grants(['data']),

  'GET /api/recordings': grants(['it', 'supervisor', 'qa', 'auditor']),
  'GET /api/recordings/:recordingId': grants(['it', ...floorLeads, 'qa', 'auditor']),
  'GET /api/recordings/:recordingId/audio': grants([...floorLeads, 'qa', 'auditor']),

  'GET /api/entries': grants(['it', 'security', 'supervisor', 'auditor']),
  'POST /api/ledger/checkpoint': grants(['it', 'supervisor', 'auditor']),
  'GET /api/ledger/checkpoints/latest': grants(['it', 'security', 'supervisor', 'auditor']),
};

export type AccessDecision =
  | { granted: true; reach: Reach }
  | { granted: false; why: 'route-not-in-table' | 'login-required' | 'role-denied' };

/** Whether somebody may use a route, and how far. The widest of the roles counts. */
export function decideAccess(
  access: Access | undefined,
  actor: Pick<Actor, 'roles'> | undefined,
  fromLoopback: boolean,
): AccessDecision {
  if (access === undefined) return { granted: false, why: 'route-not-in-table' };
  if (access === 'open') return { granted: true, reach: 'all' };
  if (access.loopback && fromLoopback) return { granted: true, reach: 'all' };
  if (actor === undefined) return { granted: false, why: 'login-required' };
  const reaches = actor.roles.map((role) => access.by[role]);
  if (reaches.includes('all')) return { granted: true, reach: 'all' };
  if (reaches.includes('own')) return { granted: true, reach: 'own' };
  return { granted: false, why: 'role-denied' };
}
